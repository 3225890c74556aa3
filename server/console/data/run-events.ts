/**
 * The log of a run, stored exactly once.
 *
 * A worker sends each event with the sequence number of its outbox until it is acknowledged, so after a broken
 * link some come again. One transaction stores a batch: events past the outbox's mark are appended to their
 * runs, the runs' pictures and failures follow from them, the mark moves on. Acknowledged is what a commit has
 * made durable. Should two batches ever race, the unique (outbox, sequence number) refuses the second.
 *
 * A hole in the numbers means that something was lost on the way: the batch is refused, and the worker sends again
 * what it still has. Only what it sends first of all on a new connection may begin after a hole, for then it has
 * nothing older (an outbox that served another console before, or lost a part of itself).
 *
 * An event that the run's state does not allow is still kept in the log, for it happened; the picture stays.
 */
import { randomUUID } from "node:crypto";
import { type Run, type RunEvent, runEventSchema, runSchema } from "@/server/core/contracts/run";
import type { PositionedEvent } from "@/server/core/contracts/views";
import { isEnded } from "@/server/core/runs/phases";
import { IllegalTransition, reduce } from "@/server/core/runs/reduce";
import { type Database, patient, type Queries } from "./database";

export type SequencedEvent = { seq: number; runId: string; event: RunEvent };
/** What a batch changed; `before` is the run's picture ahead of it. */
export type Change = { before: Run; run: Run; events: RunEvent[] };

type Entry = { runId: string; event: RunEvent; outboxId: string | null; seq: number | null };

export class EventStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /**
   * Stores what is new of a batch in the order of sequence numbers. `first`: it is the first of its connection.
   * A host tells of its own runs: what it says of another's is passed over.
   */
  storeBatch(
    outboxId: string,
    batch: SequencedEvent[],
    first: boolean,
  ): Promise<{ lastSeq: number; changes: Change[] }> {
    return this.#db.$transaction(async (tx) => {
      const outbox = await tx.outbox.findUniqueOrThrow({ where: { id: outboxId } });
      let { lastSeq } = outbox;
      const entries: Entry[] = [];
      for (const [i, { seq, runId, event }] of batch.entries()) {
        if (seq <= lastSeq) continue;
        if (seq !== lastSeq + 1 && !(first && i === 0))
          throw new Error(`outbox ${outboxId}: event ${seq} came after ${lastSeq}`);
        lastSeq = seq;
        entries.push({ runId, event, outboxId, seq });
      }
      const changes = await append(tx, entries, outbox.hostId);
      if (entries.length > 0) await tx.outbox.update({ where: { id: outboxId }, data: { lastSeq } });
      return { lastSeq, changes };
    }, patient);
  }

  /** Stores what the console itself found out about a run. */
  storeOwn(runId: string, events: RunEvent[]): Promise<Change[]> {
    const entries = events.map((event) => ({ runId, event, outboxId: null, seq: null }));
    return this.#db.$transaction((tx) => append(tx, entries, null), patient);
  }

  /** Events after a position, oldest first. */
  async after(runId: string, position: number, limit: number): Promise<PositionedEvent[]> {
    const rows = await this.#db.runEvent.findMany({
      where: { runId, position: { gt: position } },
      orderBy: { position: "asc" },
      take: limit,
    });
    return rows.map((row) => ({ position: row.position, event: runEventSchema.parse(JSON.parse(row.event)) }));
  }
}

/**
 * Appends to the logs of known runs. A run that this console does not know (any more) is passed over, and so is one of
 * another host than `hostId` (null: any).
 */
async function append(tx: Queries, entries: Entry[], hostId: string | null): Promise<Change[]> {
  const changes: Change[] = [];
  for (const runId of new Set(entries.map((entry) => entry.runId))) {
    const ofRun = entries.filter((entry) => entry.runId === runId);
    const row = await tx.run.findUnique({ where: { id: runId } });
    if (!row || (hostId !== null && row.hostId !== hostId)) continue;
    const before = runSchema.parse(JSON.parse(row.state));
    const last = await tx.runEvent.aggregate({ where: { runId }, _max: { position: true } });
    const first = (last._max.position ?? 0) + 1;
    await tx.runEvent.createMany({
      data: ofRun.map(({ event, outboxId, seq }, i) => ({
        runId,
        position: first + i,
        outboxId,
        seq,
        event: JSON.stringify(event),
      })),
    });
    const run = ofRun.reduce((picture, { event }) => next(picture, event), before);
    await tx.run.update({
      where: { id: runId },
      data: { state: JSON.stringify(run), active: !isEnded(run.state) },
    });
    const events = ofRun.map((entry) => entry.event);
    await recordFailures(tx, run, events);
    if (!isEnded(before.state) && isEnded(run.state)) await tx.endedRun.create({ data: { runId } });
    if (!isEnded(before.state) && (run.state === "succeeded" || run.state === "warnings")) await resolve(tx, run);
    changes.push({ before, run, events });
  }
  return changes;
}

/** The run after an event, or unchanged where its state does not allow the event. */
export function next(run: Run, event: RunEvent): Run {
  try {
    return reduce(run, event);
  } catch (error) {
    if (error instanceof IllegalTransition) return run;
    throw error;
  }
}

async function recordFailures(tx: Queries, run: Run, events: RunEvent[]): Promise<void> {
  for (const event of events) if (event.type === "failure") await tx.failure.create({ data: failureRow(run, event) });
}

/** What is stored of a failure of a run. */
export function failureRow(run: Run, event: RunEvent & { type: "failure" }) {
  return {
    id: randomUUID(),
    code: event.code,
    at: new Date(event.at),
    runId: run.id,
    jobId: run.job.id,
    jobName: run.job.name,
    hostId: run.hostId,
    volume: event.volume,
    message: event.message,
    evidence: JSON.stringify(event.evidence),
  };
}

/** A success of a job settles what failed in its earlier runs. */
async function resolve(tx: Queries, run: Run): Promise<void> {
  await tx.failure.updateMany({
    where: { jobId: run.job.id, resolvedAt: null, run: { number: { lt: run.number } } },
    data: { resolvedAt: new Date(run.endedAt ?? Date.now()) },
  });
}
