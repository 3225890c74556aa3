/** What is known at the moment a host's worker cannot be reached: OFO-COMM and its evidence. */
import { type Evidence, evidenceSchema } from "@/server/core/contracts/run";
import type { HostView } from "@/server/core/contracts/views";
import type { EvidenceFor } from "@/server/core/errors/evidence";
import { formatInstant } from "@/server/core/text/instant";
import { type FaultError, fault } from "../fault-error";
import { type LocalPlaces, localWorkerFacts } from "./local-worker";

/** `local`: where to look when the worker is on the console's own machine. */
export async function unreachableEvidenceOf(
  host: HostView,
  consoleVersion: string,
  local: LocalPlaces | null,
): Promise<Evidence> {
  const evidence: EvidenceFor<"OFO-COMM"> = {
    subject: "worker",
    volume: null,
    lastContactAt: host.lastSeenAt,
    exitStatus: null,
    versions: { console: consoleVersion, worker: host.version || null, engine: null },
    ...(local === null ? { processState: null, logLines: [], socket: null } : await localWorkerFacts(local)),
  };
  return evidenceSchema.parse(evidence);
}

export function unreachableMessage(host: HostView): string {
  const since =
    host.lastSeenAt === null ? "It was never heard of." : `It was last heard of at ${formatInstant(host.lastSeenAt)}.`;
  return `The worker on ${host.name} does not answer. ${since}`;
}

export function unreachableFault(host: HostView, evidence: Evidence): FaultError {
  return fault("unavailable", unreachableMessage(host), { code: "OFO-COMM", evidence });
}
