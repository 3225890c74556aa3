import { Time } from "@/app/components/time";
import type { EvidenceOf } from "@/server/core/errors/evidence";
import { Facts } from "./facts";
import { LogLines } from "./log-lines";

export function CommunicationEvidence({ evidence }: { evidence: EvidenceOf<"OFO-COMM"> }) {
  const { lastContactAt, exitStatus, socket } = evidence;
  const versions = Object.entries(evidence.versions).flatMap(([part, version]) =>
    version ? `${part} ${version}` : [],
  );
  const contact = lastContactAt === null ? "none" : <Time key="contact" at={lastContactAt} style="full" />;
  return (
    <>
      <Facts
        facts={[
          ["Not reachable", evidence.volume ? `${evidence.subject} of ${evidence.volume}` : evidence.subject],
          ["Last contact", contact],
          ["Process", evidence.processState ?? "not known"],
          ...(exitStatus === null ? [] : ([["Exit status", String(exitStatus)]] as const)),
          ["Versions", versions.join(", ") || "not known"],
          ...(socket
            ? ([["Socket", `${socket.path}, ${socket.exists ? (socket.mode ?? "there") : "absent"}`]] as const)
            : []),
        ]}
      />
      <LogLines lines={evidence.logLines} label="Its last lines" />
    </>
  );
}
