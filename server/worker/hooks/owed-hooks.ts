/**
 * Hooks that a run owes to its applications, whatever becomes of it: those after the snapshot once its first hooks have
 * begun, and those at its end from its beginning on. They stand in the run's journal until they have run, so that the
 * successor of a killed worker runs them. One that was killed while it ran is run again: it must bear that.
 */
import { z } from "zod";
import { hookSchema } from "@/server/core/contracts/hooks";
import { asFault, type FaultError } from "../fault";
import type { UndoStack } from "../snapshots/undo";
import { withOutcome } from "./hook-calls";
import { lineTeller, type Say, tellDone, tellWarning } from "./hook-voice";
import { runToItsEnd } from "./run-hook";

export const owedHookSchema = z.object({ hook: hookSchema, label: z.string(), env: z.record(z.string(), z.string()) });
export type OwedHook = z.infer<typeof owedHookSchema>;

/** How long one may take when the worker is being stopped, and when a successor makes up for it at its start. */
export const HURRIED_MS = 10_000;

export interface Settling {
  undo: UndoStack;
  say: Say;
  outcome: string;
  code: string | null;
  hurried: boolean;
  /** Called after each, however it went. */
  onSettled: (owed: OwedHook) => Promise<void>;
}

/** Runs all of them, one after the other, and says how each went. The first failure, which is a warning. Never throws. */
export async function settleOwed(owed: readonly OwedHook[], how: Settling): Promise<FaultError | null> {
  let first: FaultError | null = null;
  for (const one of owed) {
    const limited = how.hurried ? Math.min(one.hook.timeoutMs, HURRIED_MS) : one.hook.timeoutMs;
    const call = withOutcome({ ...one, hook: { ...one.hook, timeoutMs: limited } }, how.outcome, how.code);
    try {
      const tookMs = await runToItsEnd(call, { undo: how.undo, signal: null, onLine: lineTeller(how.say, call) });
      await tellDone(how.say, call, "ended well after", tookMs);
    } catch (error) {
      const fault = asFault(error);
      first ??= fault;
      await tellWarning(how.say, fault, "the backup is not touched by that");
    }
    await how.onSettled(one);
  }
  return first;
}
