import type { Severity } from "../contracts/notifications";
import type { Run } from "../contracts/run";

/** What the end of a run is worth telling; null: nothing (somebody cancelled it). `before`: how the job's run before it ended. */
export function severityOf(state: Run["state"], before: Run["state"] | null): Severity | null {
  switch (state) {
    case "failed":
    case "interrupted":
      return "failed";
    case "warnings":
      return "warning";
    case "succeeded":
      return before === null || before === "succeeded" ? "succeeded" : "recovered";
    default:
      return null;
  }
}

/** Who wants to hear of each success hears of a recovery too. */
export function wants(tells: readonly Severity[], severity: Severity): boolean {
  return tells.includes(severity) || (severity === "recovered" && tells.includes("succeeded"));
}

export const severityTexts: Record<Severity, { label: string; does: string }> = {
  failed: { label: "Failed", does: "The run failed, or its host lost it." },
  warning: { label: "Warning", does: "The run ended with warnings." },
  recovered: { label: "Recovered", does: "The first success after a failure or a warning." },
  succeeded: { label: "Every success", does: "Each run that went well." },
};
