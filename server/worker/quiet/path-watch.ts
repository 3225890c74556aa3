/**
 * `stillframe-watch`: who writes to mounted volumes, and which changes of them are of ignored paths. One line is sent for
 * a question and one comes for its answer, in order (native/watch/src/protocol.rs). The program ends with its input, so
 * it does not outlive the worker.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { z } from "zod";
import type { VolumeChange } from "@/server/core/planning/foreign-writes";
import { formatDuration } from "@/server/core/text/duration";
import { pause } from "../clock";
import { messageOf } from "../fault";

export interface WatchedVolume {
  name: string;
  mount: string;
  device: string;
}

const processSchema = z.object({
  pid: z.number(),
  command: z.string(),
  changes: z.number(),
  /** Most often changed first, with how often. */
  paths: z.array(z.tuple([z.string(), z.number()])),
});
export type WritingProcess = z.infer<typeof processSchema>;

const startedSchema = z.union([
  z.object({ volumes: z.array(z.object({ name: z.string(), refused: z.string().nullable() })) }),
  z.object({ reason: z.string() }),
]);
const judgedSchema = z.object({
  foreign: z.number(),
  foreignAt: z.number().nullable(),
  toldAgoMs: z.number().nullable(),
  /** Why every change counts from now on. */
  refused: z.string().nullable(),
});
export type Judged = z.infer<typeof judgedSchema>;
const writersSchema = z.object({
  writers: z.array(processSchema),
  /** What was ignored, by the path that holds it. */
  spared: z.array(z.object({ path: z.string(), by: z.array(processSchema) })),
});
export type Told = z.infer<typeof writersSchema>;

/** It reads the file systems to begin with, and again for each judgement, which takes as long as the wait for quiet at most. */
const STARTED_WITHIN_MS = 10_000;
/** An engine that hangs holds whoever reads its volume; no run waits for that. */
const TOLD_WITHIN_MS = 1000;
const ENDED_WITHIN_MS = 1000;

interface Waiting {
  done: (line: string) => void;
  fail: (error: Error) => void;
}

export class PathWatch {
  /** Why every change of a volume counts, by volume. */
  readonly refused = new Map<string, string>();
  private readonly waiting: Waiting[] = [];
  private rest = "";
  private gone: Error | null = null;
  private readonly ended: Promise<void>;

  private constructor(private readonly program: ChildProcessByStdio<Writable, Readable, Readable>) {
    let said = "";
    program.stderr.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-500);
    });
    program.stdout.setEncoding("utf8").on("data", (text: string) => this.receive(text));
    program.stdin.on("error", () => {}); // its end tells
    this.ended = new Promise((done) => {
      program.on("error", (error) => {
        this.end(new Error(`stillframe-watch cannot be started (${error.message})`));
        done();
      });
      program.on("close", (code, signal) => {
        this.end(new Error(said.trim() || `stillframe-watch ended with ${signal ?? code}`));
        done();
      });
    });
  }

  /** Throws where the kernel does not tell what is needed. */
  static async start(native: string, volumes: readonly WatchedVolume[], ignore: readonly string[]): Promise<PathWatch> {
    const program = spawn(join(native, "stillframe-watch"), [], { stdio: ["pipe", "pipe", "pipe"] });
    const watch = new PathWatch(program);
    const started = startedSchema.parse(await watch.askFor(STARTED_WITHIN_MS, { volumes, ignore }));
    if ("reason" in started) {
      await watch.stop();
      throw new Error(started.reason);
    }
    for (const { name, refused } of started.volumes) if (refused !== null) watch.refused.set(name, refused);
    return watch;
  }

  /** Of changes that were made before this is called. */
  async judge(volume: string, changes: readonly VolumeChange[]): Promise<Judged> {
    return judgedSchema.parse(await this.ask({ judge: volume, changes }));
  }

  async told(): Promise<Told> {
    return writersSchema.parse(await this.askFor(TOLD_WITHIN_MS, { writers: true }));
  }

  /** No mount is in use by it when this resolves. */
  async stop(): Promise<void> {
    this.program.stdin.end();
    const patience = new AbortController();
    await Promise.race([this.ended, pause(ENDED_WITHIN_MS, patience.signal)]);
    patience.abort();
    if (this.program.exitCode === null) this.program.kill("SIGKILL");
  }

  /** Ends the program where it does not answer in that time. */
  private async askFor(ms: number, question: object): Promise<unknown> {
    const silent = setTimeout(() => {
      this.end(new Error(`stillframe-watch does not answer within ${formatDuration(ms)}`));
      this.program.kill("SIGKILL");
    }, ms);
    try {
      return await this.ask(question);
    } finally {
      clearTimeout(silent);
    }
  }

  private async ask(question: object): Promise<unknown> {
    const gone = this.gone;
    if (gone !== null) throw gone;
    const line = await new Promise<string>((done, fail) => {
      this.waiting.push({ done, fail });
      this.program.stdin.write(`${JSON.stringify(question)}\n`);
    });
    try {
      return JSON.parse(line);
    } catch (error) {
      throw new Error(`stillframe-watch answers no JSON: ${messageOf(error)}`);
    }
  }

  private receive(text: string): void {
    this.rest += text;
    const lines = this.rest.split("\n");
    this.rest = lines.pop() ?? "";
    for (const line of lines) this.waiting.shift()?.done(line);
  }

  private end(error: Error): void {
    this.gone ??= error;
    for (const { fail } of this.waiting.splice(0)) fail(this.gone);
  }
}
