/**
 * Guaranteed clean-up. Every step that must be undone is written to a journal before it is done; whatever happens,
 * the steps are undone in reverse, each once. A killed worker's successor reads the journals and does the same, so
 * each step is a plain value and undoing one that was never done, or was half done, is harmless.
 */
import { join } from "node:path";
import { z } from "zod";
import { messageOf } from "../fault";
import { log } from "../log";
import type { Places } from "../places";
import { readAllJson, removeFile, writeJson } from "../state/json-file";

const stepSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("snapshot"), volume: z.string(), runDirectory: z.string(), snapshot: z.string() }),
  z.object({ kind: z.literal("export"), runDirectory: z.string(), snapshot: z.string() }),
  z.object({ kind: z.literal("namespace"), id: z.string() }),
  z.object({ kind: z.literal("process"), pid: z.number().int(), startTicks: z.number(), what: z.string() }),
  /** `mark`: what it and all that it starts carry in their environment. */
  z.object({
    kind: z.literal("hook"),
    pid: z.number().int(),
    startTicks: z.number(),
    mark: z.string(),
    what: z.string(),
  }),
  z.object({ kind: z.literal("resticLocks"), repository: z.string(), passwordFile: z.string() }),
  z.object({ kind: z.literal("file"), path: z.string() }),
]);
export type UndoStep = z.infer<typeof stepSchema>;

const journalSchema = z.object({ id: z.string(), steps: z.array(stepSchema) });

/** Undoes one step. Returns what was cleaned up, in words, or null when there was nothing to do. */
export type Undoer = (step: UndoStep) => Promise<string | null>;

const FIRST_RETRY_MS = 2000;
const LAST_RETRY_MS = 30_000;

/** Stacks of this process with a step that could not be undone. */
const stuck = new Set<UndoStack>();

let retrying: Promise<unknown> = Promise.resolve();
let retryTimer: NodeJS.Timeout | null = null;

/**
 * Tries again what could not be undone, for instance because its engine was away. One after the other. `cleaned`:
 * what became of it, in words; `left`: how many journals are still stuck.
 */
export function retryStuck(): Promise<{ cleaned: string[]; left: number }> {
  const retried = retrying.then(retryAll);
  retrying = retried.catch(() => {}); // whoever asked hears of it
  return retried;
}

async function retryAll(): Promise<{ cleaned: string[]; left: number }> {
  const cleaned: string[] = [];
  for (const stack of [...stuck]) cleaned.push(...(await stack.unwind()));
  return { cleaned, left: stuck.size };
}

/** An engine that hangs may go on at any time: what is stuck is tried again until nothing is, ever more rarely. */
function retryLater(delayMs = FIRST_RETRY_MS): void {
  if (retryTimer !== null) return;
  retryTimer = setTimeout(() => {
    void retryStuck()
      .catch((err: unknown) => log.error({ err }, "an undo journal cannot be removed"))
      .finally(() => {
        retryTimer = null;
        if (stuck.size > 0) retryLater(Math.min(2 * delayMs, LAST_RETRY_MS));
      });
  }, delayMs).unref();
}

export class UndoStack {
  private readonly steps: UndoStep[];
  private writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly places: Places,
    readonly id: string,
    private readonly undoer: Undoer,
    steps: UndoStep[] = [],
  ) {
    this.steps = [...steps];
  }

  /** Call before doing what the step undoes. */
  async push(step: UndoStep): Promise<void> {
    this.steps.push(step);
    await this.keep();
  }

  /** Drops the newest step of this kind: it has been undone by other means. */
  async drop(matches: (step: UndoStep) => boolean): Promise<void> {
    const index = this.steps.findLastIndex(matches);
    if (index >= 0) this.steps.splice(index, 1);
    await this.keep();
  }

  /**
   * Undoes everything, newest first. A step that fails is logged and does not keep the others from being undone; it is
   * tried again, as is a journal that cannot be removed. Never throws.
   */
  async unwind(): Promise<string[]> {
    const cleaned: string[] = [];
    const failed: UndoStep[] = [];
    for (let step = this.steps.pop(); step !== undefined; step = this.steps.pop()) {
      try {
        const words = await this.undoer(step);
        if (words !== null) cleaned.push(words);
      } catch (err) {
        failed.unshift(step);
        log.error({ err, step }, "clean-up failed; it is tried again until it works");
        cleaned.push(`not cleaned: ${describeStep(step)} (${messageOf(err)})`);
      }
    }
    this.steps.push(...failed);
    try {
      // Harmless if it cannot be removed: a successor finds everything in it undone.
      await (failed.length === 0 ? this.discard() : this.keep());
    } catch (err) {
      log.error({ err, journal: this.id }, "an undo journal cannot be written");
      return this.becomeStuck(cleaned);
    }
    if (failed.length > 0) return this.becomeStuck(cleaned);
    stuck.delete(this);
    return cleaned;
  }

  private becomeStuck(cleaned: string[]): string[] {
    stuck.add(this);
    retryLater();
    return cleaned;
  }

  /** True while this is still to be undone, also because it could not be. */
  holds(matches: (step: UndoStep) => boolean): boolean {
    return this.steps.some(matches);
  }

  /** What was done is to stay: nothing of it is undone any more. */
  async keepDone(): Promise<void> {
    this.steps.length = 0;
    await this.discard();
  }

  private path(): string {
    return join(this.places.undo, `${this.id}.json`);
  }

  private keep(): Promise<void> {
    const write = () => writeJson(this.path(), { id: this.id, steps: this.steps });
    this.writing = this.writing.then(write, write);
    return this.writing;
  }

  private async discard(): Promise<void> {
    await this.writing.catch(() => {});
    await removeFile(this.path());
  }
}

/** The journals that a predecessor left. */
export async function leftJournals(places: Places, undoer: Undoer): Promise<UndoStack[]> {
  const journals = await readAllJson(places.undo, journalSchema);
  return journals.map((j) => new UndoStack(places, j.id, undoer, j.steps));
}

/** A step in a person's words. */
export function describeStep(step: UndoStep): string {
  switch (step.kind) {
    case "snapshot":
      return `snapshot ${step.snapshot} of ${step.volume}`;
    case "export":
      return `device of snapshot ${step.snapshot}`;
    case "namespace":
      return `mount namespace ${step.id}`;
    case "process":
      return `process ${step.pid} (${step.what})`;
    case "hook":
      return `${step.what}, process ${step.pid}`;
    case "resticLocks":
      return `locks of ${step.repository}`;
    case "file":
      return `file ${step.path}`;
  }
}
