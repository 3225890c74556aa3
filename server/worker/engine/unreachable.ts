/** OFO-COMM for an engine that does not answer, with what can still be seen of it from outside. */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { codedFault, type FaultError, messageOf } from "../fault";
import { readStat } from "../programs/processes";
import { workerVersion } from "../version";
import type { AttachedVolume } from "../volumes/known-volumes";
import { EngineClient, EngineGone } from "./client";

/** An engine that runs answers at once; this leaves room for a busy host. */
const ANSWER_WITHIN_MS = 2000;

const states: Record<string, string> = {
  R: "running",
  S: "sleeping",
  D: "waiting for a device",
  T: "stopped",
  t: "stopped by a debugger",
  Z: "zombie",
};

function stateOf(process: { state: string } | null): string {
  return process === null ? "absent" : (states[process.state] ?? process.state);
}

/** Last lines of the engine's log, oldest first. */
export async function engineLog(runDirectory: string, lines: number): Promise<string[]> {
  const text = await readFile(join(runDirectory, "engine.log"), "utf8").catch(() => "");
  return text.trimEnd().split("\n").filter(Boolean).slice(-lines);
}

/** OFO-COMM if the volume's engine does not answer now; null if it does. `consequence`: what its silence led to. */
export async function engineSilent(volume: AttachedVolume, consequence: string): Promise<FaultError | null> {
  try {
    (await EngineClient.open(join(volume.runDirectory, "engine.sock"), {}, ANSWER_WITHIN_MS)).close();
    return null;
  } catch (error) {
    return engineUnreachable(volume, new EngineGone(`${messageOf(error)}. ${consequence}`));
  }
}

export async function engineUnreachable(volume: AttachedVolume, cause: Error): Promise<FaultError> {
  const { watch, record, runDirectory } = volume;
  const process = watch.process === null ? null : await readStat(watch.process.pid);
  const path = join(runDirectory, "engine.sock");
  const socket = await stat(path).catch(() => null);
  const mode = socket === null ? null : (socket.mode & 0o7777).toString(8).padStart(4, "0");
  return codedFault(
    "unavailable",
    "OFO-COMM",
    `the engine of volume "${record.name}" does not answer: ${messageOf(cause)}`,
    {
      subject: "engine",
      volume: record.name,
      lastContactAt: watch.lastContactAt,
      processState: watch.process === null ? null : stateOf(process),
      exitStatus: null,
      logLines: await engineLog(runDirectory, 40),
      versions: { console: null, worker: workerVersion(), engine: watch.process?.version ?? null },
      socket: { path, mode, exists: socket !== null },
    },
    cause,
  );
}
