import type { EvidenceOf } from "@/server/core/errors/evidence";
import { Facts } from "./facts";
import { LogLines } from "./log-lines";

export function CommunicationEvidence({ evidence }: { evidence: EvidenceOf<"OFO-COMM"> }) {
  const { versions, socket } = evidence;
  return (
    <>
      <Facts
        facts={[
          ["Not reachable", evidence.volume ? `${evidence.subject} of ${evidence.volume}` : evidence.subject],
          ["Last contact", evidence.lastContactAt ?? "none"],
          ["Process", evidence.processState ?? "not known"],
          ["Exit status", evidence.exitStatus === null ? "none" : String(evidence.exitStatus)],
          [
            "Versions",
            `console ${versions.console ?? "?"}, worker ${versions.worker ?? "?"}, engine ${versions.engine ?? "?"}`,
          ],
          ...(socket
            ? ([["Socket", `${socket.path}, ${socket.exists ? (socket.mode ?? "there") : "absent"}`]] as const)
            : []),
        ]}
      />
      <LogLines lines={evidence.logLines} label="Its last lines" />
    </>
  );
}
