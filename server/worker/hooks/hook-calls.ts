/** A job's hooks of one moment, each with its label and what it is told. */
import type { HookMoment } from "@/server/core/contracts/hooks";
import type { RunSpec } from "@/server/core/contracts/job";
import { hookLabels, momentWords } from "@/server/core/hooks/hook-words";
import type { AttachedVolume } from "../volumes/known-volumes";
import { openMounts } from "../volumes/mounted-at";
import type { HookCall } from "./run-hook";

export interface About {
  volumes: readonly string[];
  /** Where they are mounted; of those that are. */
  mounts: readonly string[];
}

export async function aboutVolumes(volumes: readonly AttachedVolume[]): Promise<About> {
  return { volumes: volumes.map((v) => v.record.name), mounts: (await openMounts(volumes)).map((v) => v.mount) };
}

/**
 * STILLFRAME_RUN is taken: it names the worker's own directory to the command line. So a run is STILLFRAME_RUN_ID here,
 * as it is for backup commands.
 */
export function hookCalls(
  spec: Pick<RunSpec, "runId" | "jobName" | "mode" | "hooks">,
  at: HookMoment,
  about: About,
): HookCall[] {
  const labels = hookLabels(spec.hooks);
  return spec.hooks.flatMap((hook, index) => {
    if (hook.at !== at) return [];
    const env = {
      STILLFRAME_JOB: spec.jobName,
      STILLFRAME_RUN_ID: spec.runId,
      STILLFRAME_MODE: spec.mode === "oneAtATime" ? "one-at-a-time" : "all-at-once",
      STILLFRAME_PHASE: momentWords[at],
      STILLFRAME_VOLUMES: about.volumes.join("\n"),
      STILLFRAME_MOUNTS: about.mounts.join("\n"),
    };
    return [{ hook, label: labels[index] as string, env }];
  });
}

/** Told to hooks after the snapshot (`taken`, or why it was not) and at the run's end. */
export function withOutcome(call: HookCall, outcome: string, code: string | null): HookCall {
  return { ...call, env: { ...call.env, STILLFRAME_OUTCOME: outcome, STILLFRAME_CODE: code ?? "" } };
}
