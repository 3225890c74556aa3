/**
 * Starts and stops the practice writers. A writer is a process of its own that outlives the worker; its name is
 * kept in `<home>/worker/writers/<volume>.json`, so the next worker finds it again, and what it says beside it.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, open, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { FaultError } from "../fault";
import type { Places } from "../places";
import { endProcess, isAlive, nameProcess, type ProcessName } from "../programs/processes";
import { readJson, removeFile, writeJson } from "../state/json-file";
import type { KnownVolume } from "../volumes/known-volumes";

const processSchema = z.object({ pid: z.number().int(), startTicks: z.number() });
/** The word that makes `main.ts` be a writer instead of a worker. */
export const WRITER_WORD = "practice-writer";
/** One that has neither begun to write nor ended by then has a slow disk, and is let go on. */
const BEGINS_WITHIN_MS = 20_000;

/** Whether the volume's writer runs now. */
export async function isWriterRunning(places: Places, record: KnownVolume): Promise<boolean> {
  return (await findWriter(places, record)) !== null;
}

async function findWriter(places: Places, record: KnownVolume): Promise<ProcessName | null> {
  const name = await readJson(namePath(places, record), processSchema);
  return name !== null && (await isAlive(name)) ? name : null;
}

function namePath(places: Places, record: KnownVolume): string {
  return join(places.writers, `${record.id}.json`);
}

export class PracticeWriters {
  constructor(private readonly places: Places) {}

  /** Starts the volume's writer unless it runs already, and waits until it writes. Throws why it does not. */
  async start(record: KnownVolume): Promise<void> {
    if (record.mount === null) throw new FaultError("invalid", `volume "${record.name}" is not mounted`);
    if (await isWriterRunning(this.places, record)) return;
    const program = process.argv[1];
    if (program === undefined) throw new Error("the worker does not know its own program");
    await mkdir(this.places.writers, { recursive: true, mode: 0o700 });
    const said = await open(this.saidPath(record), "w", 0o600);
    const child = spawn(process.execPath, [...process.execArgv, program, WRITER_WORD, record.mount], {
      detached: true,
      stdio: ["ignore", "pipe", said.fd],
      cwd: dirname(program),
    });
    const begun = this.begun(record, child);
    begun.catch(() => {}); // it is heard below, when its name has been kept
    try {
      const name = child.pid === undefined ? null : await nameProcess(child.pid);
      if (name !== null) await writeJson(namePath(this.places, record), name);
      await begun;
    } catch (error) {
      await this.stop(record);
      throw error;
    } finally {
      await said.close();
      child.stdout?.destroy();
      child.unref();
    }
  }

  async stop(record: KnownVolume): Promise<void> {
    const running = await findWriter(this.places, record);
    if (running !== null) await endProcess(running, { graceMs: 5000 });
    await removeFile(namePath(this.places, record));
    await removeFile(this.saidPath(record));
  }

  private begun(record: KnownVolume, child: ChildProcess): Promise<void> {
    return new Promise((done, fail) => {
      const timer = setTimeout(done, BEGINS_WITHIN_MS);
      const refuse = (reason: string) =>
        fail(new FaultError("failed", `the practice writer of "${record.name}" does not run: ${reason}`));
      child.on("error", (error) => refuse(error.message));
      child.once("exit", async (status, signal) => {
        clearTimeout(timer);
        refuse(`it ended with ${status ?? signal}: ${await this.lastWords(record)}`);
      });
      child.stdout?.once("data", () => {
        clearTimeout(timer);
        child.removeAllListeners("exit");
        done();
      });
    });
  }

  /** Its own fatal message, else the line of an uncaught error. */
  private async lastWords(record: KnownVolume): Promise<string> {
    const text = await readFile(this.saidPath(record), "utf8").catch(() => "");
    const lines = text.split("\n").filter((line) => line.trim() !== "");
    const told = lines.findLast((line) => line.startsWith("{"))?.match(/"msg":("(?:[^"\\]|\\.)*")/)?.[1];
    if (told !== undefined) return JSON.parse(told) as string;
    return lines.find((line) => /^\w*Error\b/.test(line)) ?? lines.at(-1) ?? "without a word";
  }

  private saidPath(record: KnownVolume): string {
    return join(this.places.writers, `${record.id}.log`);
  }
}
