/**
 * Sessions of `stillframe exec`: frozen images at the volumes' paths in a namespace, for as long as the caller's
 * connection lives. When it ends, however it ends, the processes in the namespace are ended and everything is released.
 */
import { randomBytes } from "node:crypto";
import type { z } from "zod";
import type { HostOutput, snapshotCreateInput } from "@/server/core/contracts/host-methods";
import { FaultError } from "../fault";
import type { Host } from "../host";
import { log } from "../log";
import { awaitQuiet } from "../quiet/quiet-monitor";
import { SnapshotGroup } from "./snapshot-group";
import { UndoStack } from "./undo";

/** Whoever asks: its connection is the lease. */
export interface Caller {
  /** Aborts when the connection has ended. */
  gone: AbortSignal;
}

interface Session {
  group: SnapshotGroup;
  undo: UndoStack;
  ending: Promise<HostOutput<"exec.end">> | null;
}

export class ExecSessions {
  private readonly sessions = new Map<string, Session>();

  constructor(private readonly host: Host) {}

  get count(): number {
    return this.sessions.size;
  }

  async begin(input: z.output<typeof snapshotCreateInput>, caller: Caller): Promise<HostOutput<"exec.begin">> {
    if (input.mode === "oneAtATime" && input.volumes.length > 1) {
      throw new FaultError("invalid", "one at a time: begin a session for each volume", { field: "volumes" });
    }
    const volumes = [...new Set(input.volumes)].map((name) => this.host.known.requireAttached(name));
    const unmounted = volumes.find((v) => v.record.mount === null);
    if (unmounted !== undefined) {
      throw new FaultError("invalid", `volume "${unmounted.record.name}" is not mounted`, { field: "volumes" });
    }
    const id = `exec-${randomBytes(6).toString("hex")}`;
    const { openFile, mode } = input;
    const undo = new UndoStack(this.host.places, id, this.host.undoer);
    const group = new SnapshotGroup(this.host, id, undo, { mode, cache: openFile.cache, volumes });
    this.sessions.set(id, { group, undo, ending: null });
    try {
      await group.reserve(volumes);
      if (openFile.quiet.minimumMs > 0) await awaitQuiet(volumes, openFile.quiet, { signal: caller.gone, mode });
      caller.gone.throwIfAborted();
      await group.freeze(caller.gone);
      await group.export();
      const namespace = await group.mount();
      caller.gone.throwIfAborted();
      caller.gone.addEventListener("abort", () => void this.lapse(id), { once: true });
      return {
        session: id,
        namespace,
        mode,
        volumes: group.members.map(({ volume: { record }, takenAt }) => ({
          name: record.name,
          mount: record.mount as string,
          provider: "engine",
          takenAt: takenAt as string,
        })),
      };
    } catch (error) {
      await this.end(id);
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

  async endAll(): Promise<void> {
    await Promise.all([...this.sessions.keys()].map((id) => this.end(id)));
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
