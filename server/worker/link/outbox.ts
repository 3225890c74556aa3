/**
 * Events on their way to the console: kept on disk until the console says that it has them, numbered without gaps,
 * so each is stored there exactly once however often the link drops and whoever is killed.
 *
 * The file holds a head (`{outboxId, baseSeq}`) and one event a line. Events are appended and made durable in batches;
 * acknowledged ones are dropped by writing the file anew, now and then, and whenever nothing is left.
 */
import { randomUUID } from "node:crypto";
import { type FileHandle, mkdir, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { type RunEvent, runEventSchema } from "@/server/core/contracts/run";
import { log } from "../log";

const headSchema = z.object({ outboxId: z.string(), baseSeq: z.number().int() });
const entrySchema = z.object({ seq: z.number().int(), runId: z.string(), event: runEventSchema });
export type OutboxEntry = z.infer<typeof entrySchema>;

const COMPACT_AFTER = 500;
const RETRY_MS = 1000;

interface Unwritten {
  line: string;
  done: () => void;
}

export class Outbox {
  private entries: OutboxEntry[] = [];
  private lastSeq = 0;
  private ackedSinceCompaction = 0;
  private unwritten: Unwritten[] = [];
  private writer: Promise<void> = Promise.resolve();
  private file: FileHandle | null = null;
  /** The last write failed and may have left part of a line. */
  private torn = false;
  private listener: ((entry: OutboxEntry) => void) | null = null;
  outboxId = "";

  constructor(private readonly directory: string) {}

  /** Reads what a predecessor left; a line that was torn by its death was never promised to anyone. */
  async load(): Promise<void> {
    await mkdir(this.directory, { recursive: true, mode: 0o700 });
    const text = await readFile(this.path(), "utf8").catch(() => "");
    const [first = "", ...rest] = text.split("\n");
    const head = parseLine(first, headSchema);
    this.outboxId = head?.outboxId ?? randomUUID();
    this.lastSeq = head?.baseSeq ?? 0;
    for (const line of rest) {
      const entry = parseLine(line, entrySchema);
      if (entry === null) continue;
      this.entries.push(entry);
      this.lastSeq = Math.max(this.lastSeq, entry.seq);
    }
    await this.compact();
  }

  /** Number of the newest event that is on disk. */
  get durableSeq(): number {
    return this.lastSeq - this.unwritten.length;
  }

  /** Called with each event once it is durable. */
  onEntry(listener: ((entry: OutboxEntry) => void) | null): void {
    this.listener = listener;
  }

  /** Resolves when the event is on stable storage. Events keep the order of the calls. */
  append(runId: string, event: RunEvent): Promise<void> {
    this.lastSeq += 1;
    const entry = { seq: this.lastSeq, runId, event };
    return new Promise<void>((done) => {
      const written = () => {
        this.entries.push(entry);
        done();
        this.listener?.(entry);
      };
      this.unwritten.push({ line: `${JSON.stringify(entry)}\n`, done: written });
      if (this.unwritten.length === 1) this.enqueue(() => this.writeBatch());
    });
  }

  /** Durable events after a sequence number, oldest first. */
  after(seq: number): OutboxEntry[] {
    return this.entries.filter((e) => e.seq > seq);
  }

  /** The console has everything up to `seq`. */
  acknowledge(seq: number): void {
    const before = this.entries.length;
    this.entries = this.entries.filter((e) => e.seq > seq);
    this.lastSeq = Math.max(this.lastSeq, seq);
    this.ackedSinceCompaction += before - this.entries.length;
    const idle = this.entries.length === 0 && this.ackedSinceCompaction > 0;
    if (idle || this.ackedSinceCompaction >= COMPACT_AFTER) {
      this.ackedSinceCompaction = 0;
      this.enqueue(() => this.compact());
    }
  }

  /** Waits for what was promised. */
  async close(): Promise<void> {
    await this.writer;
    await this.file?.close();
    this.file = null;
  }

  private path(): string {
    return join(this.directory, "events.jsonl");
  }

  private enqueue(work: () => Promise<void>): void {
    this.writer = this.writer.then(work).catch((err: unknown) => log.error({ err }, "the outbox cannot be written"));
  }

  /** A disk that is full does not lose an event: it waits in memory and is tried again. */
  private async writeBatch(): Promise<void> {
    const batch = [...this.unwritten];
    const newLine = this.torn ? "\n" : "";
    try {
      this.file ??= await open(this.path(), "a", 0o600);
      await this.file.appendFile(newLine + batch.map((b) => b.line).join(""));
      await this.file.datasync();
    } catch (error) {
      this.torn = true;
      setTimeout(() => this.enqueue(() => this.writeBatch()), RETRY_MS).unref();
      throw error;
    }
    this.torn = false;
    this.unwritten.splice(0, batch.length);
    if (this.unwritten.length > 0) this.enqueue(() => this.writeBatch());
    for (const { done } of batch) done();
  }

  private async compact(): Promise<void> {
    const baseSeq = (this.entries[0]?.seq ?? this.lastSeq - this.unwritten.length + 1) - 1;
    const lines = [{ outboxId: this.outboxId, baseSeq }, ...this.entries].map((e) => `${JSON.stringify(e)}\n`);
    const temporary = `${this.path()}.new`;
    const fresh = await open(temporary, "w", 0o600);
    await fresh.writeFile(lines.join(""));
    await fresh.sync();
    await fresh.close();
    await rename(temporary, this.path());
    await this.file?.close();
    this.file = null;
  }
}

function parseLine<S extends z.ZodType>(line: string, schema: S): z.output<S> | null {
  try {
    return schema.parse(JSON.parse(line));
  } catch {
    return null;
  }
}
