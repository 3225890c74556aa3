import type { EvidenceOf } from "@/server/core/errors/evidence";
import { formatDuration } from "@/server/core/text/duration";
import { Facts } from "./facts";

export function FreezeEvidence({ evidence }: { evidence: EvidenceOf<"SF-101"> }) {
  const time = (ms: number | null) => (ms === null ? "did not" : formatDuration(ms));
  return (
    <Facts
      facts={[
        ["Deadline", formatDuration(evidence.deadlineMs)],
        ["Held up by", evidence.blocked ?? "not known"],
        ...evidence.mounts.map(
          (one) => [one.name, `froze in ${time(one.freezeMs)}, thawed in ${time(one.thawMs)}`] as const,
        ),
      ]}
    />
  );
}
