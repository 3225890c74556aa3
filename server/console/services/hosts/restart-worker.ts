/**
 * Starts a host's worker anew. One that answers ends by itself and is started by its supervisor; one that hangs on the
 * console's own machine is killed there. Engines outlive their worker: volumes and snapshots stay as they are.
 */
import type { ActionResult } from "@/server/core/contracts/views";
import { noteChange } from "../audit/change-note";
import { FaultError, fault } from "../fault-error";
import type { Hosts } from "./hosts";
import { endLocalWorker, type LocalPlaces } from "./local-worker";

/** A supervisor waits for up to half a minute after several deaths; then it takes up what the last one left. */
const COMES_BACK_MS = 90_000;

export async function restartWorker(hosts: Hosts, local: LocalPlaces, id: string): Promise<ActionResult> {
  const { name } = await hosts.get(id);
  noteChange({ subject: name });
  const before = hosts.linkOf(id);
  if (before === null || !(await endsByItself(hosts, id))) {
    if (!(await hosts.isLocal(id))) throw await hosts.unreachable(id);
    await endLocalWorker(local);
  }
  if (!(await hosts.connectsAnew(id, before, COMES_BACK_MS))) {
    throw fault("unavailable", `The worker of ${name} ended, and nothing started it again. Start it on its host.`);
  }
  return {
    message: `The worker of ${name} was restarted and is connected again.`,
    runId: null,
    ok: true,
    checks: [],
    lines: [],
  };
}

/** False when it does not answer. Throws what it answers instead: that a run is on, that it has no supervisor. */
async function endsByItself(hosts: Hosts, id: string): Promise<boolean> {
  const link = hosts.linkOf(id);
  try {
    await hosts.ask(id, "host.restart", {});
    return true;
  } catch (error) {
    if (!(error instanceof FaultError) || error.fault.kind !== "unavailable") throw error;
    // A link that broke meanwhile: it ended before its answer was on the wire.
    return hosts.linkOf(id) !== link;
  }
}
