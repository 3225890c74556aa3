/** Runs one hook to its end, or one that holds until it holds. What goes wrong is a fault SF-104 with its evidence. */
import type { Hook } from "@/server/core/contracts/hooks";
import { type EvidenceOf, hookFailedEvidence } from "@/server/core/errors/evidence";
import { hookFailure } from "@/server/core/hooks/hook-failure";
import { monotonicMs } from "../clock";
import { codedFault, FaultError, messageOf } from "../fault";
import type { UndoStack } from "../snapshots/undo";
import { type HookEnd, HookProcess } from "./hook-process";

/** The line by which a program that holds says that it does. */
export const READY = "READY";
/** After its input has ended; then it is told by a signal. */
const LETS_GO_WITHIN_MS = 2000;

/** A hook to be run: its label, and what it is told in its environment. */
export interface HookCall {
  hook: Hook;
  label: string;
  env: Record<string, string>;
}

export interface Hearing {
  undo: UndoStack;
  /** Ends the hook. Null: nothing but its time does. */
  signal: AbortSignal | null;
  onLine: (line: string) => void;
}

type Facts = Partial<EvidenceOf<"SF-104">>;

export function hookFault({ hook, label, env }: HookCall, facts: Facts): FaultError {
  const volumes = (env.STILLFRAME_VOLUMES ?? "").split("\n").filter(Boolean);
  const { at, timeoutMs } = hook;
  const evidence = hookFailedEvidence.parse({ hook: label, at, timeoutMs, volumes, ...facts });
  return codedFault("failed", "SF-104", hookFailure(evidence), evidence);
}

/** Its duration in milliseconds. Throws the fault, or the signal's reason when it was aborted. */
export async function runToItsEnd(call: HookCall, hearing: Hearing): Promise<number> {
  const running = await begin(call, hearing, hearing.onLine);
  const { signal } = hearing;
  const end = await running.waitForEnd(call.hook.timeoutMs, signal ?? undefined);
  const { tookMs } = running;
  await running.stop({ all: end === null });
  if (end === null) signal?.throwIfAborted();
  const { lines } = running;
  if (end === null) throw hookFault(call, { cause: "timeout", tookMs, lines });
  if (end.exitCode !== 0) throw hookFault(call, { ...asEnded(end), tookMs, lines });
  return tookMs;
}

/** A program that holds its application, and has said so. */
export class Hold {
  /** How long it held; while it does, up to now. Milliseconds. */
  get heldMs(): number {
    return (this.gone ?? monotonicMs()) - this.since;
  }

  private readonly since = monotonicMs();
  private gone: number | null = null;

  private constructor(
    readonly call: HookCall,
    private readonly running: HookProcess,
  ) {}

  /** Resolves when it said READY. Throws as `runToItsEnd` does; nothing of it is left then. */
  static async take(call: HookCall, hearing: Hearing): Promise<Hold> {
    const said = new AbortController();
    const running = await begin(call, hearing, (line, stream) => {
      if (stream === "stdout" && line.trim() === READY) said.abort();
      hearing.onLine(line);
    });
    const { signal } = hearing;
    const heard = signal === null ? said.signal : AbortSignal.any([said.signal, signal]);
    const end = await running.waitForEnd(call.hook.timeoutMs, heard);
    if (said.signal.aborted && end === null && !signal?.aborted) return new Hold(call, running);
    const { tookMs } = running;
    await running.stop({ all: true });
    signal?.throwIfAborted();
    const { lines } = running;
    if (end === null) throw hookFault(call, { cause: "notReady", tookMs, lines });
    throw hookFault(call, { ...asEnded(end), cause: said.signal.aborted ? "early" : "unready", tookMs, lines });
  }

  get tookMs(): number {
    return this.running.tookMs;
  }

  /** False when it has ended by itself: `letGo` says how. */
  holds(): Promise<boolean> {
    return this.running.isAlive();
  }

  /**
   * Right after the instant: tells it to end, by the end of its input and, if it does not care, by TERM. Null when it
   * held until then: it was alive, and ended with 0 or by our signal. Never throws.
   */
  async letGo(): Promise<FaultError | null> {
    const { running, call } = this;
    const alive = await running.isAlive();
    running.endInput();
    const end = await running.waitForEnd(LETS_GO_WITHIN_MS);
    if (end !== null) this.gone = monotonicMs();
    await running.stop({ all: end === null });
    this.gone ??= monotonicMs();
    const { tookMs, lines } = running;
    if (!alive) return hookFault(call, { ...asEnded(end ?? running.ended), cause: "early", tookMs, lines });
    if (end === null || end.exitCode === 0) return null;
    return hookFault(call, { ...asEnded(end), cause: "late", tookMs, lines });
  }
}

async function begin(
  { hook, env, label }: HookCall,
  { undo, signal }: Hearing,
  onLine: (line: string, stream: "stdout" | "stderr") => void,
): Promise<HookProcess> {
  signal?.throwIfAborted();
  try {
    return await HookProcess.start(undo, hook, env, label, onLine);
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    throw hookFault({ hook, env, label }, { cause: "notStarted", lines: [messageOf(error)] });
  }
}

function asEnded(end: HookEnd | null): Facts {
  const { exitCode, signal } = end ?? { exitCode: null, signal: null };
  return { cause: exitCode === null ? "signal" : "exit", exitCode, signal };
}
