/**
 * A child program that is kept running: started again when it dies, after a pause that doubles from half a
 * second to half a minute and falls back once it has stayed up. Its output goes to a log file, and its last
 * lines are at hand for the message when it does not come up at all.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, renameSync, statSync, type WriteStream } from "node:fs";
import { createInterface } from "node:readline";

const shortestPauseMs = 500;
const longestPauseMs = 30_000;
const stableAfterMs = 60_000;
const keptLines = 20;
const longestLogBytes = 16 * 1024 * 1024;

export interface SupervisedProgram {
  name: string;
  args: string[];
  env: NodeJS.ProcessEnv;
  logFile: string;
  /** Told each time the program ends without having been asked to. */
  onDeath(text: string): void;
}

export class Supervised {
  private child: ChildProcess | null = null;
  private stopping = false;
  private pauseMs = shortestPauseMs;
  private restart: NodeJS.Timeout | null = null;
  private readonly log: WriteStream;
  /** The end of its output. */
  readonly lastLines: string[] = [];

  constructor(private readonly program: SupervisedProgram) {
    keepBounded(program.logFile);
    this.log = createWriteStream(program.logFile, { flags: "a", mode: 0o600 });
    this.start();
  }

  get running(): boolean {
    return this.child !== null;
  }

  /** SIGTERM, then SIGKILL when it has not ended in time. */
  async stop(graceMs: number): Promise<void> {
    this.stopping = true;
    if (this.restart) clearTimeout(this.restart);
    const child = this.child;
    if (child) {
      await new Promise<void>((resolve) => {
        const kill = setTimeout(() => child.kill("SIGKILL"), graceMs);
        child.once("close", () => {
          clearTimeout(kill);
          resolve();
        });
        child.kill("SIGTERM");
      });
    }
    await new Promise<void>((resolve) => this.log.end(resolve));
  }

  private start(): void {
    const startedAt = performance.now();
    // A session of its own: Ctrl-C at the terminal reaches only the supervisor, which stops its programs in order.
    const child = spawn(process.execPath, this.program.args, {
      env: this.program.env,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    this.child = child;
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => this.keep(line));
    }
    child.once("error", (error) => this.keep(error.message));
    child.once("close", (code, signal) => {
      this.child = null;
      if (this.stopping) return;
      const stable = performance.now() - startedAt > stableAfterMs;
      this.pauseMs = stable ? shortestPauseMs : this.pauseMs;
      this.program.onDeath(
        `The ${this.program.name} ended (${signal ?? `exit code ${code}`}); it is started again in ${this.pauseMs / 1000} s. Log: ${this.program.logFile}`,
      );
      this.restart = setTimeout(() => this.start(), this.pauseMs);
      this.pauseMs = Math.min(this.pauseMs * 2, longestPauseMs);
    });
  }

  private keep(line: string): void {
    this.lastLines.push(line);
    if (this.lastLines.length > keptLines) this.lastLines.shift();
    if (this.log.writable) this.log.write(`${line}\n`);
  }
}

/** At a start, a log that has grown long makes way for a new one; the one before that is dropped. */
function keepBounded(logFile: string): void {
  const size = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0;
  if (size > longestLogBytes) renameSync(logFile, `${logFile}.1`);
}
