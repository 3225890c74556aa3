/**
 * Hooks around snapshots that belong to no run, but to a request (`exec`, `snapshot create`). What they say goes to whoever
 * asked and into the worker's log. Those that are owed are kept in `<home>/worker/owed` until they have run, so that the
 * successor of a killed worker runs them.
 */
import { join } from "node:path";
import { z } from "zod";
import type { Hook, HookMoment } from "@/server/core/contracts/hooks";
import type { Mode } from "@/server/core/contracts/job";
import type { Host } from "../host";
import { log } from "../log";
import type { Places } from "../places";
import { UndoStack } from "../snapshots/undo";
import { readAllJson, removeFile, writeJson } from "../state/json-file";
import { GroupHooks } from "./group-hooks";
import type { HookOwner } from "./hook-owner";
import { type OwedHook, owedHookSchema, settleOwed } from "./owed-hooks";

const leftSchema = z.object({ id: z.string(), owed: z.array(owedHookSchema) });

/** What a request wants of its hooks. `name`: who they are told to run for. */
export interface HookRequest {
  id: string;
  name: string;
  mode: Mode;
  hooks: readonly Hook[];
}

export class RequestHooks implements HookOwner {
  /** What hooks said and how they went, for whoever asked. */
  readonly said: string[] = [];
  private owes: readonly OwedHook[] = [];

  private constructor(
    private readonly places: Places,
    private readonly id: string,
  ) {}

  /** The hooks of one group, and what is said of them. */
  static around(
    host: Host,
    { id, name, mode, hooks }: HookRequest,
    undo: UndoStack,
    signal: AbortSignal,
  ): { hooks: GroupHooks; said: string[] } {
    const owner = new RequestHooks(host.places, id);
    const spec = { runId: id, jobName: name, mode, hooks: [...hooks] };
    return { hooks: new GroupHooks(spec, owner, 0, undo, signal), said: owner.said };
  }

  /** Runs those that a killed worker's requests still owe, in a hurry. Their processes must have been ended before. */
  static async recover({ places, undoer }: Host): Promise<void> {
    for (const { id, owed } of await readAllJson(places.owed, leftSchema)) {
      const left = new RequestHooks(places, id);
      left.owes = owed;
      const undo = new UndoStack(places, `owed-${id}`, undoer);
      await settleOwed(owed, {
        undo,
        say: (level, text) => left.log(level, text),
        outcome: "interrupted",
        code: "SF-106",
        hurried: true,
        onSettled: (one) => left.settled(one),
      });
      await undo.unwind();
    }
  }

  async phase(): Promise<void> {}

  async log(level: "debug" | "info" | "warn", text: string): Promise<void> {
    log[level]({ request: this.id }, text);
    this.said.push(text);
  }

  /** Throws when it cannot be kept: then nothing has begun. */
  async owe(hooks: readonly OwedHook[]): Promise<void> {
    if (hooks.length === 0) return;
    this.owes = [...this.owes, ...hooks];
    await this.keep();
  }

  owed(at: HookMoment): OwedHook[] {
    return this.owes.filter(({ hook }) => hook.at === at);
  }

  async settled(one: OwedHook): Promise<void> {
    this.owes = this.owes.filter((other) => other !== one);
    await this.keep().catch((err: unknown) =>
      log.error({ err, request: this.id }, "owed hooks cannot be written down"),
    );
  }

  private keep(): Promise<void> {
    const path = join(this.places.owed, `${this.id}.json`);
    return this.owes.length === 0 ? removeFile(path) : writeJson(path, { id: this.id, owed: this.owes });
  }
}
