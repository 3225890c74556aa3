/** What is known at the moment a host's worker cannot be reached: OFO-COMM and its evidence. */
import type { Evidence } from "@/server/core/contracts/run";
import type { HostView } from "@/server/core/contracts/views";
import type { EvidenceFor } from "@/server/core/errors/evidence";
import { type FaultError, fault } from "../fault-error";

export function unreachableEvidenceOf(host: HostView, consoleVersion: string, logLines: string[]): Evidence {
  const evidence: EvidenceFor<"OFO-COMM"> = {
    subject: "worker",
    volume: null,
    lastContactAt: host.lastSeenAt,
    processState: null,
    exitStatus: null,
    logLines,
    versions: { console: consoleVersion, worker: host.version || null, engine: null },
    socket: null,
  };
  return JSON.parse(JSON.stringify(evidence));
}

export function unreachableMessage(host: HostView): string {
  const since = host.lastSeenAt === null ? "It was never heard of." : `It was last heard of at ${host.lastSeenAt}.`;
  return `The worker on ${host.name} does not answer. ${since}`;
}

export function unreachableFault(host: HostView, evidence: Evidence): FaultError {
  return fault("unavailable", unreachableMessage(host), { code: "OFO-COMM", evidence });
}
