/** What every section works with: the backing file, and one way to run a job on a subject that verifies its data. */
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { mustRun } from "@/server/worker/programs/run-program";
import type { Row } from "./figures";
import { type Job, type Measured, measure, VERIFIED_BLOCKS, wrongBlocks } from "./fio";
import type { Options } from "./options";
import { peerProgram } from "./peer-program";
import { type Peer, type Place, peer, type Subject } from "./subjects";

export interface Section {
  name: string;
  /** For the help. */
  what: string;
  run(bench: Bench): Promise<Row[]>;
}

export interface Result extends Measured {
  /** At the end of the job, before anything else was written. */
  cacheBytes: number | null;
  /** Processor time of the serving process for each request, in microseconds. */
  processorUs: number | null;
}

export class Bench {
  /** What was wrong after each run of a subject that is known to corrupt data. */
  readonly damage = new Map<string, { wrongBlocks: number; imageIsRight: boolean }[]>();

  #peer: Promise<Peer> | null = null;

  constructor(
    readonly options: Options,
    private readonly interrupted: AbortSignal,
  ) {}

  /** Found, and tried whether it corrupts data, when a section first asks for it. */
  peer(): Promise<Peer> {
    this.#peer ??= this.#findPeer();
    return this.#peer;
  }

  /** Null where no section asked for one. */
  get usedPeer(): Promise<Peer> | null {
    return this.#peer;
  }

  async #findPeer(): Promise<Peer> {
    const program = await peerProgram(this.options.peer, (text) => this.say(text));
    this.say(`the peer is ${program.version}`);
    let wrong = 0;
    const untried = peer("peer", { program, corrupts: false }, { snapshot: false, over: "fuse" });
    await this.withPlace((place) =>
      untried.use(place, async ({ fio }) => {
        for (let tries = 0; tries < 4; tries += 1) wrong += await wrongBlocks(fio);
      }),
    );
    this.say(wrong > 0 ? "its FUSE export corrupts data at depth 32" : "its FUSE export is correct at depth 32");
    return { program, corrupts: wrong > 0 };
  }

  /** What is measured next. Throws where it was interrupted, so that what was set up is taken away. */
  say(text: string): void {
    this.interrupted.throwIfAborted();
    process.stderr.write(`${text}\n`);
  }

  /** A directory and in it a backing file of random content, removed afterwards. */
  async withPlace<T>(use: (place: Place) => Promise<T>, parent = this.options.directory): Promise<T> {
    const directory = await mkdtemp(join(parent, "stillframe-bench-"));
    try {
      const { bytes } = this.options;
      const place = { backing: join(directory, "backing.img"), bytes, directory };
      const content = ["if=/dev/urandom", `of=${place.backing}`, "bs=1M", `count=${bytes / 1024 / 1024}`];
      await mustRun("dd", [...content, "conv=fsync", "status=none"]);
      return await use(place);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }

  /** Rounds from 1 on. */
  get rounds(): number[] {
    return Array.from({ length: this.options.rounds }, (_, index) => index + 1);
  }

  /**
   * One job on one subject. Afterwards 32 MiB are written through the same device and read back, and a frozen image is
   * compared with the backing file as it was before; a difference throws, but for a subject that is known to corrupt.
   */
  async run(subject: Subject, place: Place, job: Job): Promise<Result> {
    let result: Result | null = null;
    await subject.use(place, async (device) => {
      const began = await device.processorSeconds();
      const measured = await measure(job, device.fio);
      const ended = await device.processorSeconds();
      const processorUs = began === null || ended === null ? null : ((ended - began) * 1e6) / measured.requests;
      result = { ...measured, processorUs, cacheBytes: await device.cacheBytes() };
      const wrong = await wrongBlocks(device.fio);
      const imageIsRight = await device.imageIsRight();
      if (subject.corrupts === true) {
        this.damage.set(subject.name, [...(this.damage.get(subject.name) ?? []), { wrongBlocks: wrong, imageIsRight }]);
        return;
      }
      if (wrong > 0) throw new Error(`${subject.name}: ${wrong} of ${VERIFIED_BLOCKS} blocks are wrong`);
      if (!imageIsRight) throw new Error(`${subject.name}: the frozen image changed`);
    });
    if (result === null) throw new Error(`${subject.name} was not measured`);
    return result;
  }
}
