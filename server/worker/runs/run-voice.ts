/** What a run tells the world: each event is checked by the state machine, journaled where needed and handed on. */
import type { HookMoment } from "@/server/core/contracts/hooks";
import type { RunSpec } from "@/server/core/contracts/job";
import type { Phase, Run, RunEvent } from "@/server/core/contracts/run";
import type { ErrorCode } from "@/server/core/errors/codes";
import { initialRun, reduce } from "@/server/core/runs/reduce";
import { now, pause } from "../clock";
import type { OwedHook } from "../hooks/owed-hooks";
import { log } from "../log";
import type { Places } from "../places";
import { dropJournal, keepJournal } from "./run-journal";

/** Stores an event for delivery; resolves when it is safe on disk. */
export type EmitEvent = (runId: string, event: RunEvent) => Promise<void>;

const STORE_PATIENCE_MS = 3000;

/** An event without its time. */
type Untimed<E> = E extends RunEvent ? Omit<E, "at"> : never;

export class RunVoice {
  run: Run;
  private owes: readonly OwedHook[] = [];

  constructor(
    private readonly places: Places,
    private readonly spec: RunSpec,
    private readonly emit: EmitEvent,
  ) {
    this.run = initialRun(spec, { number: 1, hostId: "local" });
  }

  /** Emits with the host's present time. An event that the state machine refuses is a mistake of ours: logged, not sent. */
  async say(untimed: Untimed<RunEvent>): Promise<void> {
    const event = { ...untimed, at: now() } as RunEvent;
    try {
      this.run = reduce(this.run, event);
    } catch (err) {
      log.error({ err, run: this.spec.runId, event: event.type }, "the run's state machine refused an event");
      return;
    }
    const ending = event.type === "ended";
    // Before anybody hears of it: a successor must not know less than the console.
    if (ending || event.type === "phase") await this.journal(ending ? event : null);
    const { runId } = this.spec;
    const stored = this.emit(runId, event).then(() => (ending ? dropJournal(this.places, runId) : undefined));
    // A disk that takes no event must not keep a run from releasing what it holds: the outbox tries on.
    await Promise.race([stored, pause(STORE_PATIENCE_MS)]);
  }

  async phase(group: number, phase: Phase, more: Pick<RunEvent & { type: "phase" }, "quiet"> = {}): Promise<void> {
    await this.say({ type: "phase", group, phase, ...more });
  }

  async log(level: "debug" | "info" | "warn" | "error", text: string, code: ErrorCode | null = null): Promise<void> {
    await this.say({ type: "log", level, text, code });
  }

  /** Hooks that this run, or its successor's recovery, runs in any case. Known to a successor when this resolves. */
  async owe(hooks: readonly OwedHook[]): Promise<void> {
    if (hooks.length === 0) return;
    this.owes = [...this.owes, ...hooks];
    await this.journal(null);
  }

  owed(at: HookMoment): OwedHook[] {
    return this.owes.filter(({ hook }) => hook.at === at);
  }

  async settled(one: OwedHook): Promise<void> {
    this.owes = this.owes.filter((other) => other !== one);
    await this.journal(null);
  }

  /** Makes the run known to a successor before anything is done for it. */
  async open(groups: string[][]): Promise<void> {
    await this.journal(null);
    await this.say({ type: "started", mode: this.spec.mode, groups });
  }

  /** A journal that cannot be written costs a successor the phase's name, not the run its release. */
  private async journal(ending: RunEvent | null): Promise<void> {
    const { runId, jobName } = this.spec;
    try {
      await keepJournal(this.places, { runId, jobName, phase: this.run.state, ending, owed: [...this.owes] });
    } catch (err) {
      log.error({ err, run: runId }, "the run's journal cannot be written");
    }
  }
}
