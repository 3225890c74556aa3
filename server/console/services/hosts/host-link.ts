import type { HostMethod } from "@/server/core/contracts/host-methods";

/** A live connection to a worker, as the services see it (made by `../../link/worker-link.ts`). */
export interface HostLink {
  /** What its worker announced that it can do. */
  readonly supports: ReadonlySet<string>;
  /** The worker's answer, unchecked. Throws a `FaultError`: the worker's own, or `unavailable`; an `UnansweredError` after `timeoutMs`. */
  request(method: HostMethod, params: unknown, timeoutMs: number): Promise<unknown>;
  /** Asks for 10 samples a second, or one in 5 s. */
  watch(on: boolean): void;
  close(reason: string): void;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** How long a method may take before the worker counts as not answering. */
const patience: Partial<Record<HostMethod, number>> = {
  "host.doctor": 3 * MINUTE,
  "host.diagnostics": MINUTE,
  "host.repair": 5 * MINUTE,
  "host.restart": 10 * SECOND,
  "volume.attach": 2 * MINUTE,
  "volume.detach": 2 * MINUTE,
  "volume.upgrade": MINUTE,
  "practice.create": 10 * MINUTE,
  "practice.remove": 2 * MINUTE,
  "snapshot.create": 90 * MINUTE,
  "hook.test": 3 * MINUTE,
  "run.start": 15 * SECOND,
  "restore.list": 10 * MINUTE,
  "restore.start": 24 * 60 * MINUTE,
  "repository.prepare": 5 * MINUTE,
  "engine.restart": MINUTE,
};

export const patienceFor = (method: HostMethod): number => patience[method] ?? 30 * SECOND;
