/** One command's use of the worker: connect, ask, always hang up. */
import type { Command } from "commander";
import { locations, workerSocketPath } from "./locations";
import { WorkerConnection } from "./worker-connection";

export interface GlobalOptions {
  home?: string;
  json?: boolean;
}

/** `--home` and `--json` wherever they stand on the command line. */
export function globalOptions(command: Command): { home?: string; json: boolean } {
  const { home, json } = command.optsWithGlobals<GlobalOptions>();
  return { home, json: json ?? false };
}

export async function withWorker<T>(command: Command, use: (worker: WorkerConnection) => Promise<T>): Promise<T> {
  const worker = await WorkerConnection.open(workerSocketPath(locations(globalOptions(command).home)));
  try {
    return await use(worker);
  } finally {
    worker.close();
  }
}
