/**
 * Starts and stops the practice writers. A writer is a process of its own that outlives the worker; its name is
 * kept in `<home>/worker/writers/<volume>.json`, so the next worker finds it again.
 */
import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { z } from "zod";
import { FaultError } from "../fault";
import { log } from "../log";
import type { Places } from "../places";
import { endProcess, isAlive, nameProcess, type ProcessName } from "../programs/processes";
import { readJson, removeFile, writeJson } from "../state/json-file";
import type { KnownVolume } from "../volumes/known-volumes";

const processSchema = z.object({ pid: z.number().int(), startTicks: z.number() });
/** The word that makes `main.ts` be a writer instead of a worker. */
export const WRITER_WORD = "practice-writer";

export class PracticeWriters {
  constructor(private readonly places: Places) {}

  /** Starts the volume's writer unless it runs already. */
  async start(record: KnownVolume): Promise<void> {
    if (record.mount === null) throw new FaultError("invalid", `volume "${record.name}" is not mounted`);
    if ((await this.find(record)) !== null) return;
    const program = process.argv[1];
    if (program === undefined) throw new Error("the worker does not know its own program");
    const child = spawn(process.execPath, [...process.execArgv, program, WRITER_WORD, record.mount], {
      detached: true,
      stdio: "ignore",
      cwd: dirname(program),
    });
    child.on("error", (err) => log.error({ err, volume: record.name }, "the practice writer cannot be started"));
    child.unref();
    const name = child.pid === undefined ? null : await nameProcess(child.pid);
    if (name === null) throw new FaultError("failed", "the practice writer cannot be started");
    await writeJson(this.path(record), name);
  }

  async stop(record: KnownVolume): Promise<void> {
    const running = await this.find(record);
    if (running !== null) await endProcess(running, { graceMs: 5000 });
    await removeFile(this.path(record));
  }

  private async find(record: KnownVolume): Promise<ProcessName | null> {
    const name = await readJson(this.path(record), processSchema);
    return name !== null && (await isAlive(name)) ? name : null;
  }

  private path(record: KnownVolume): string {
    return join(this.places.writers, `${record.id}.json`);
  }
}
