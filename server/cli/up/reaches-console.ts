import { workerSocketPath } from "../locations";
import { WorkerConnection } from "../worker-connection";

/** Whether this host's worker answers and has reached its console, so that any command works from then on. */
export async function reachesConsole(at: { run: string }): Promise<boolean> {
  try {
    const worker = await WorkerConnection.open(workerSocketPath(at));
    try {
      await worker.console("settings.get", {});
      return true;
    } finally {
      worker.close();
    }
  } catch {
    return false;
  }
}
