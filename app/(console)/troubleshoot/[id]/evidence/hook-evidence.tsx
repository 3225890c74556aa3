import type { EvidenceOf } from "@/server/core/errors/evidence";
import { momentWords } from "@/server/core/hooks/hook-words";
import { formatDuration } from "@/server/core/text/duration";
import { Facts } from "./facts";
import { LogLines } from "./log-lines";

/** How a hook ended, and the last that it said. */
export function HookEvidence({ evidence }: { evidence: EvidenceOf<"SF-104"> }) {
  const { hook, at, exitCode, signal, tookMs, timeoutMs, volumes, lines } = evidence;
  const known = (ms: number | null) => (ms === null ? "not known" : formatDuration(ms));
  return (
    <>
      <Facts
        facts={[
          ["Hook", hook ?? "not known"],
          ["Moment", at === null ? "not known" : momentWords[at]],
          ["Exit code", String(exitCode ?? "none")],
          ["Signal", signal ?? "none"],
          ["Took", known(tookMs)],
          ["May take", known(timeoutMs)],
          ["Ran for", volumes.join(", ") || "not known"],
        ]}
      />
      <LogLines lines={lines} label="Its last lines" />
      {lines.length === 0 && <p className="mt-3 text-[0.8125rem] text-mute">It printed nothing.</p>}
    </>
  );
}
