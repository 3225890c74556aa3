/** One freeze with a command inside: begin, run, end. The lease on the snapshots is the connection itself. */
import type { HostInput, HostOutput } from "@/server/core/contracts/host-methods";
import { Failure } from "../failure";
import type { Interruption } from "../interruption";
import { printNote } from "../output/print";
import type { WorkerConnection } from "../worker-connection";
import { runInNamespace } from "./run-in-namespace";

/** `takenAt` is null where no snapshot could be had. */
export type VolumeReport = Omit<HostOutput<"exec.end">["volumes"][number], "takenAt"> & { takenAt: string | null };

export interface SessionResult {
  exitCode: number;
  volumes: VolumeReport[];
}

/**
 * Throws when no snapshot could be had. A command that ends with 0 although its snapshot was lost
 * meanwhile has read something that was not frozen, so the session then counts as failed.
 */
export async function runSession(
  worker: WorkerConnection,
  input: HostInput<"exec.begin">,
  command: readonly [string, ...string[]],
  interruption: Interruption,
): Promise<SessionResult> {
  const begun = await beginOrInterrupt(worker, input, interruption);
  for (const line of begun.said) printNote(`stillframe: ${line}`);
  const names = begun.volumes.map((volume) => volume.name).join("\n");
  const { exitCode } = await runInNamespace(
    {
      namespace: begun.namespace,
      command,
      env: { STILLFRAME_VOLUME: names, STILLFRAME_PATHS: begun.volumes.map((volume) => volume.mount).join("\n") },
    },
    interruption,
  );
  const ended = await worker.host("exec.end", { session: begun.session }).catch((error: Failure) => error);
  const interrupted = interruption.exitCode;
  if (ended instanceof Failure) {
    printNote(`stillframe: the release was not confirmed: ${ended.message}`);
    const volumes = begun.volumes.map(({ name, provider, takenAt }) => ({
      name,
      provider,
      takenAt,
      cacheUsedBytes: 0,
      code: ended.code ?? "OFO-COMM",
    }));
    return { exitCode: interrupted ?? (exitCode || 1), volumes };
  }
  const lost = ended.volumes.filter((volume) => volume.code !== null);
  for (const volume of lost) {
    printNote(`stillframe: the snapshot of ${volume.name} was lost while the command ran (${volume.code})`);
  }
  return { exitCode: interrupted ?? (exitCode || (lost.length > 0 ? 1 : 0)), volumes: ended.volumes };
}

/** A signal while the snapshot is being taken gives it up: closing the connection releases what there is. */
function beginOrInterrupt(
  worker: WorkerConnection,
  input: HostInput<"exec.begin">,
  interruption: Interruption,
): Promise<HostOutput<"exec.begin">> {
  return new Promise((resolve, reject) => {
    const stop = interruption.subscribe(() => {
      worker.close();
      reject(new Failure("interrupted before the command was started", interruption.exitCode ?? 130));
    });
    worker.host("exec.begin", input).then(resolve, reject).finally(stop);
  });
}
