/**
 * Sessions of `stillframe exec`: frozen images at the volumes' paths in a namespace, for as long as the caller's
 * connection lives. When it ends, however it ends, the processes in the namespace are ended and everything is released.
 */
import { randomBytes } from "node:crypto";
import type { z } from "zod";
import type { HostOutput, snapshotCreateInput } from "@/server/core/contracts/host-methods";
import { asFault, FaultError } from "../fault";
import type { GroupHooks } from "../hooks/group-hooks";
import { aboutVolumes } from "../hooks/hook-calls";
import { RequestHooks } from "../hooks/request-hooks";
import type { Host } from "../host";
import { log } from "../log";
import { awaitQuietFor } from "../quiet/quiet-monitor";
import type { AttachedVolume } from "../volumes/known-volumes";
import { mountedAt } from "../volumes/mounted-at";
import { SnapshotGroup } from "./snapshot-group";
import { UndoStack } from "./undo";

/** Whoever asks: its connection is the lease. */
export interface Caller {
  /** Aborts when the connection has ended. */
  gone: AbortSignal;
}

type Input = z.output<typeof snapshotCreateInput>;

interface Session {
  group: SnapshotGroup;
  undo: UndoStack;
  hooks: GroupHooks;
  stop: AbortController;
  /** Settled when it has begun, or what it had begun was given up. */
  beginning: Promise<unknown>;
  ending: Promise<HostOutput<"exec.end">> | null;
}

export class ExecSessions {
  private readonly sessions = new Map<string, Session>();

  constructor(private readonly host: Host) {}

  get count(): number {
    return this.sessions.size;
  }

  async begin(input: Input, caller: Caller): Promise<HostOutput<"exec.begin">> {
    if (input.mode === "oneAtATime" && input.volumes.length > 1) {
      throw new FaultError("invalid", "one at a time: begin a session for each volume", { field: "volumes" });
    }
    const volumes = [...new Set(input.volumes)].map((name) => this.host.known.requireAttached(name));
    for (const { record, device } of volumes) {
      if ((await mountedAt(device))?.points[0] !== undefined) continue;
      throw new FaultError("invalid", `volume "${record.name}" is not mounted`, { field: "volumes" });
    }
    const id = `exec-${randomBytes(6).toString("hex")}`;
    const { openFile, mode } = input;
    const stop = new AbortController();
    const undo = new UndoStack(this.host.places, id, this.host.undoer);
    const group = new SnapshotGroup(this.host, id, undo, { mode, cache: openFile.cache, volumes });
    const request = { id, name: "exec", mode, hooks: input.hooks };
    const { hooks, said } = RequestHooks.around(this.host, request, undo, stop.signal);
    const session: Session = { group, undo, hooks, stop, beginning: Promise.resolve(), ending: null };
    this.sessions.set(id, session);
    if (caller.gone.aborted) stop.abort("cancelled");
    caller.gone.addEventListener("abort", () => stop.abort("cancelled"), { once: true });
    const beginning = this.take(session, volumes, input, said);
    session.beginning = beginning.catch(() => {}); // told to whoever asked
    try {
      const namespace = await beginning;
      caller.gone.addEventListener("abort", () => void this.lapse(id), { once: true });
      if (caller.gone.aborted) await this.lapse(id);
      return {
        session: id,
        namespace,
        mode,
        said: [...said],
        volumes: group.members.map(({ volume: { record }, takenAt, mounted }) => ({
          name: record.name,
          mount: mounted?.points[0] as string,
          provider: "engine",
          takenAt: takenAt as string,
        })),
      };
    } catch (error) {
      await this.end(id);
      throw error;
    }
  }

  /** The namespace with the frozen images. */
  private async take(
    { group, hooks, stop }: Session,
    volumes: AttachedVolume[],
    input: Input,
    said: string[],
  ): Promise<string> {
    const { openFile, mode } = input;
    const { signal } = stop;
    const about = await aboutVolumes(volumes);
    try {
      await group.reserve(volumes);
      await hooks.prepare(about);
      const { native } = this.host.places;
      await awaitQuietFor(volumes, openFile.quiet, { signal, mode, native }, said);
      signal.throwIfAborted();
      await hooks.whileHeld(about, () => group.freeze(signal));
      await hooks.settle("taken", null);
      await group.export();
      for (const { volume, mounted } of group.members) {
        group.mustBeFrozenAt(volume.record.name, mounted?.points[0] ?? null);
      }
      const namespace = await group.mount();
      signal.throwIfAborted();
      return namespace;
    } catch (error) {
      await hooks.settle(signal.aborted ? "stopped" : "failed", asFault(error).detail.code ?? null);
      throw error;
    }
  }

  /** Releases everything; asking again waits for the same release. */
  async end(id: string): Promise<HostOutput<"exec.end">> {
    const session = this.sessions.get(id);
    if (session === undefined) throw new FaultError("notFound", `there is no session "${id}"`, { field: "session" });
    session.ending ??= this.release(session).finally(() => this.sessions.delete(id));
    return session.ending;
  }

  /** The worker stops: also those that are just beginning. */
  async endAll(): Promise<void> {
    await Promise.all(
      [...this.sessions].map(async ([id, { stop, beginning }]) => {
        stop.abort("interrupted");
        await beginning;
        if (this.sessions.has(id)) await this.end(id);
      }),
    );
  }

  private async release({ group, undo }: Session): Promise<HostOutput<"exec.end">> {
    await group.settle();
    const lost = group.watch.loss;
    const fault = await group.lost();
    const volumes = group.members.map(({ volume: { record }, takenAt }) => ({
      name: record.name,
      provider: "engine",
      takenAt: takenAt ?? "",
      cacheUsedBytes: group.watch.peak(record.name).cacheUsedBytes,
      code: lost?.volume === record.name ? (fault?.detail.code ?? null) : null,
    }));
    group.watch.stop();
    await undo.unwind();
    return { volumes };
  }

  private async lapse(id: string): Promise<void> {
    if (!this.sessions.has(id)) return;
    log.warn({ session: id }, "the caller of exec is gone; releasing");
    await this.end(id).catch((err: unknown) => log.error({ err, session: id }, "release failed"));
  }
}
