/** What went wrong with a hook, as a sentence without its capital and full stop; from the evidence that was kept. */
import type { EvidenceOf } from "../errors/evidence";
import { formatDuration } from "../text/duration";
import { hookPhrase } from "./hook-words";

type Evidence = EvidenceOf<"SF-104">;

export function hookFailure(evidence: Evidence): string {
  return `${hookPhrase(evidence.at, evidence.hook)} ${what(evidence)}`;
}

function what({ cause, exitCode, signal, tookMs, timeoutMs, lines }: Evidence): string {
  const after = tookMs === null ? "" : ` after ${formatDuration(tookMs)}`;
  const inTime = timeoutMs === null ? "in time" : `within ${formatDuration(timeoutMs)}`;
  const ended = exitCode === null ? `was ended by ${signal ?? "a signal"}` : `ended with exit code ${exitCode}`;
  const last = lines.findLast((line) => line.trim() !== "");
  const said = last === undefined ? "" : `: ${last.trim().slice(0, 300)}`;
  switch (cause ?? (exitCode === null ? "timeout" : "exit")) {
    case "exit":
    case "signal":
      return `${ended}${after}${said}`;
    case "timeout":
      return `did not end ${inTime}, and was stopped`;
    case "notReady":
      return `did not say READY ${inTime}, and was stopped`;
    case "unready":
      return `${ended}${after} without having said READY${said}`;
    case "early":
      return `${ended} before the instant: it did not hold its application for the whole freeze${said}`;
    case "late":
      return `${ended} when it was told to let go: whether it held its application until then is not certain${said}`;
    case "notStarted":
      return `could not be started${said}`;
  }
}
