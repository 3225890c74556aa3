/** `hook.test`: a hook alone, so that a person sees what it does before a run depends on it. */
import { randomBytes } from "node:crypto";
import type { z } from "zod";
import type { HookTrial } from "@/server/core/contracts/hooks";
import type { hostMethods } from "@/server/core/contracts/host-methods";
import { hookFailedEvidence } from "@/server/core/errors/evidence";
import { hookPhrase } from "@/server/core/hooks/hook-words";
import { formatDuration } from "@/server/core/text/duration";
import { FaultError } from "../fault";
import type { Host } from "../host";
import { UndoStack } from "../snapshots/undo";
import { KEPT_LINES } from "./bounded-output";
import { aboutVolumes, hookCalls, withOutcome } from "./hook-calls";
import { type Hearing, Hold, type HookCall, runToItsEnd } from "./run-hook";

type Input = z.output<(typeof hostMethods)["hook.test"]["input"]>;

/** Somebody waits for the answer. */
const LONGEST_MS = 60_000;

export async function tryHook(host: Host, { hook, jobName, volumes }: Input): Promise<HookTrial> {
  const short = { ...hook, timeoutMs: Math.min(hook.timeoutMs, LONGEST_MS) };
  const spec = { runId: "test", jobName, mode: "allAtOnce" as const, hooks: [short] };
  const { mounts } = await aboutVolumes(volumes.flatMap((name) => host.known.findAttached(name) ?? []));
  const [call] = hookCalls(spec, hook.at, { volumes, mounts });
  if (call === undefined) throw new FaultError("internal", "a hook has a moment");
  const undo = new UndoStack(host.places, `hook-test-${randomBytes(6).toString("hex")}`, host.undoer);
  const lines: string[] = [];
  const onLine = (line: string) => {
    lines.push(line);
    if (lines.length > KEPT_LINES) lines.shift();
  };
  try {
    const { message, tookMs } = await attempt(withOutcome(call, outcomes[hook.at], null), {
      undo,
      signal: null,
      onLine,
    });
    return { ok: true, message, tookMs, lines };
  } catch (error) {
    const evidence = error instanceof FaultError ? hookFailedEvidence.safeParse(error.detail.evidence).data : undefined;
    if (!(error instanceof FaultError) || evidence === undefined) throw error;
    return { ok: false, message: error.message, tookMs: evidence.tookMs ?? 0, lines };
  } finally {
    await undo.unwind();
  }
}

/** What those that are told an outcome are told in a test. */
const outcomes = { preFreeze: "", freezeHold: "", postSnapshot: "taken", postRun: "succeeded" } as const;

async function attempt(call: HookCall, hearing: Hearing): Promise<{ message: string; tookMs: number }> {
  const who = hookPhrase(call.hook.at, call.label);
  if (call.hook.at !== "freezeHold") {
    const tookMs = await runToItsEnd(call, hearing);
    return { message: `${who} ended well after ${formatDuration(tookMs)}`, tookMs };
  }
  const held = await Hold.take(call, hearing);
  const readyMs = held.tookMs;
  const fault = await held.letGo();
  if (fault !== null) throw fault;
  const { tookMs } = held;
  return {
    message: `${who} was ready after ${formatDuration(readyMs)} and let go at ${formatDuration(tookMs)}`,
    tookMs,
  };
}
