/**
 * The end of a volume, which no file system and no other load uses: an NBD client writes there to the live volume, beside what is
 * mounted. It knows what each block must hold.
 */
import { type AttachedVolume, MIB } from "../fixtures/attached-volume";
import type { Cleanup } from "../fixtures/cleanup";
import { pause } from "../fixtures/native-program";
import { NbdWriter } from "../fixtures/nbd-writer";
import { Difference, type Tally } from "./tally";

export const TAIL_BYTES = 2 * MIB;
const DEPTH = 4;
const REST_MS = 10;
/** Of a client whose engines are killed; what is not answered then is lost. */
const PATIENCE_MS = 60_000;

export class Tail {
  private readonly writer: NbdWriter;

  /** `from`: bytes before it, those that the loads have. The volume is served already. */
  constructor(
    cleanup: Cleanup,
    private readonly volume: AttachedVolume,
    from: number,
    private readonly tally: Tally,
  ) {
    const socket = `${volume.runDirectory}/nbd.sock`;
    this.writer = new NbdWriter(cleanup, socket, "live", TAIL_BYTES, DEPTH, { from, restMs: REST_MS });
  }

  /** Throws when a write was answered with an error. */
  mustBeWell(): void {
    if (this.writer.refused > 0) throw this.failure(`${this.writer.refused} writes were answered with an error`);
    if (this.writer.turnedAway > 0) throw this.failure(`${this.writer.turnedAway} connections were turned away`);
  }

  /** Runs `then` while none of its writes is on its way. */
  async atRest<T>(then: () => Promise<T>): Promise<T> {
    await this.rest();
    try {
      return await then();
    } finally {
      this.writer.resume();
    }
  }

  /** Ends it; `mustHold` tells later whether everything is there. */
  async end(): Promise<void> {
    await this.rest();
    this.mustBeWell();
    await this.writer.end();
  }

  async mustHold(image: string): Promise<void> {
    const wrong = await this.writer.wrongBlocks(image);
    if (wrong.length > 0) throw this.failure(`blocks ${wrong.slice(0, 5).join(", ")}, ${wrong.length} in all`);
    this.tally.nbdWrites += this.writer.answered;
    this.tally.add("nbdWrites", TAIL_BYTES);
  }

  private async rest(): Promise<void> {
    const late = pause(PATIENCE_MS).then(() => "late");
    if ((await Promise.race([this.writer.pause(), late])) === "late") throw this.failure("writes are not answered");
  }

  private failure(what: string): Difference {
    return new Difference("nbdWrites", `${this.volume.name}: ${what}`);
  }
}
