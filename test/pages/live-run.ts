/**
 * A run that is on: a scripted host says what a worker would say, ten measurements of each volume a second, so that
 * what is measured is the console and the page.
 */
import type { Run, RunEvent } from "@/server/core/contracts/run";
import type { Sample, Volume } from "@/server/core/contracts/volume";
import { type ConsoleUnderTest, eventually } from "../fixtures/console-under-test";
import { volume } from "../fixtures/link-documents";
import { ScriptedWorker } from "../fixtures/scripted-worker";
import { Random } from "../soak/random";

const GIB = 1024 ** 3;
const BLOCK = 4096;

export class LiveRun {
  readonly worker = new ScriptedWorker();
  readonly names: string[];
  readonly #random = new Random("lanes");
  readonly #counters = new Map<string, { writes: number; writeBytes: number; cache: number }>();
  readonly #began: number;
  runId = "";

  /** `agoMs`: how long before now the run began. */
  constructor(volumes: number, agoMs = 0) {
    this.#began = Date.now() - agoMs;
    this.names = Array.from({ length: volumes }, (_, i) => `/srv/data${String(i + 1).padStart(2, "0")}`);
  }

  /** Connects the host, makes the job and starts it, up to its backup. */
  async begin(it: ConsoleUnderTest, cookie: string): Promise<void> {
    const client = it.client(cookie);
    const { hostId } = await this.worker.connect(it.origin, it.hostKey);
    this.worker.volumes(this.names.map((name): Volume => ({ ...volume(name, name), sizeBytes: 200 * GIB })));
    await eventually(async () => (await client.volumes.list.query({})).length >= this.names.length);
    const job = await client.jobs.create.mutate({
      name: "Nightly database",
      hostId,
      selection: { volumes: this.names, paths: [], excludes: [] },
      destination: { kind: "command", command: "true" },
    });
    ({ runId: this.runId } = await client.jobs.run.mutate({ id: job.id }));
    for (const event of this.#beginning()) this.worker.emit(this.runId, event);
    await eventually(
      async () => ((await client.runs.get.query({ id: this.runId })).run.state as Run["state"]) === "backingUp",
    );
  }

  /** One measurement of each volume, as of now or of another time. */
  measure(at = new Date()): Sample[] {
    return this.names.map((name) => this.#measured(name, at));
  }

  #measured(name: string, at: Date): Sample {
    const counters = this.#counters.get(name) ?? { writes: 0, writeBytes: 0, cache: BLOCK };
    const quiet = this.#random.whole(0, 9) < 3;
    const writes = quiet ? 0 : this.#random.whole(1, 60);
    counters.writes += writes;
    counters.writeBytes += writes * BLOCK * this.#random.whole(1, 16);
    counters.cache += Math.floor(writes / 3) * BLOCK;
    this.#counters.set(name, counters);
    return {
      volume: name,
      at: at.toISOString(),
      writes: counters.writes,
      writeBytes: counters.writeBytes,
      reads: 0,
      readBytes: 0,
      lastWriteAt: at.toISOString(),
      quietMs: 0,
      cacheUsedBytes: counters.cache,
      cacheReservedBytes: GIB,
      cacheMaxBytes: GIB,
      preservedBlocks: counters.cache / BLOCK,
      skippedFreeBlocks: counters.writes,
      openSnapshots: 1,
    };
  }

  /** How far the backup is; a worker tells it about once a second. */
  progress(): RunEvent {
    const done = Math.min(299, (Date.now() - this.#began) / 1000) * GIB;
    const files = Math.floor(done / GIB);
    return {
      type: "progress",
      at: new Date().toISOString(),
      group: 0,
      bytesDone: Math.floor(done),
      bytesTotal: 300 * GIB,
      filesDone: files,
      filesTotal: 300,
      currentFile: `${this.names[files % this.names.length]}/base/16384/${files}`,
    };
  }

  #beginning(): RunEvent[] {
    const at = new Date(this.#began).toISOString();
    const phase = (name: Extract<RunEvent, { type: "phase" }>["phase"]): RunEvent => ({
      type: "phase",
      at,
      group: 0,
      phase: name,
    });
    return [
      { type: "started", at, mode: "allAtOnce", groups: [this.names] },
      phase("reserving"),
      ...this.names.map(
        (name): RunEvent => ({
          type: "cacheReserved",
          at,
          group: 0,
          volume: name,
          location: "/var/cache",
          reservedBytes: GIB,
          maxBytes: GIB,
        }),
      ),
      phase("freezing"),
      {
        type: "frozen",
        at,
        group: 0,
        frozenMs: 41,
        spreadMs: 0,
        volumes: this.names.map((name) => ({ name, takenAt: at })),
      },
      phase("snapshotted"),
      phase("backingUp"),
    ];
  }
}
