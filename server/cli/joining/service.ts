/** Hands the worker to systemd. */
import { execFile } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { Failure } from "../failure";
import { unitName, type WorkerService, workerUnit } from "./worker-unit";

const run = promisify(execFile);

/** sd_booted(3) */
export const systemdRuns = (): boolean => existsSync("/run/systemd/system");

const file = `/etc/systemd/system/${unitName}`;

export const serviceIsInstalled = (): boolean => existsSync(file);

/** Starts it, or starts it anew where there was one: engines go on meanwhile. */
export async function installService(service: WorkerService): Promise<void> {
  try {
    writeFileSync(file, workerUnit(service), { mode: 0o600 });
    await run("systemctl", ["daemon-reload"]);
    await run("systemctl", ["enable", unitName]);
    await run("systemctl", ["restart", unitName]);
  } catch (error) {
    throw new Failure(
      `the worker could not be made a service: ${(error as Error).message}`,
      1,
      null,
      "Join with --no-service to run it in the foreground.",
    );
  }
}
