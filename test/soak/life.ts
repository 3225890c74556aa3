/**
 * The life of one volume: attached, loaded, snapshotted, compared, killed under, taken apart; then once more, on the same
 * backing store or on a new one.
 *
 * Each life begins with one snapshot of every sort, so that a short soak has made every comparison; then chance rules.
 * Only this actor changes the known tree, takes snapshots and releases them, so it knows what each image must hold; the
 * loads and the kills go on beside it all the time.
 */
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { EngineRefused } from "@/server/worker/engine/client";
import { AttachedVolume, type SnapshotChoice } from "../fixtures/attached-volume";
import { Cleanup } from "../fixtures/cleanup";
import { hashOf } from "../fixtures/device-hash";
import { freezeGroup, freezeRequest } from "../fixtures/freeze-program";
import { mustEngineCommand, pause } from "../fixtures/native-program";
import { BackingStore } from "./backing-store";
import { CachePlaces, onFullDisk, type Room } from "./cache-places";
import { compareChanges } from "./image-difference";
import { Killer } from "./killer";
import { OpenSnapshot } from "./open-snapshot";
import type { Kind, Store } from "./options";
import { activate, prepare, release, serveNbd } from "./patience";
import type { Random } from "./random";
import { FileSystemSurface, RawSurface, type Surface } from "./surface";
import { TAIL_BYTES, Tail } from "./tail";
import { Difference, type Tally } from "./tally";

const MOST_OPEN = 3;

/** Thrown where the soak was interrupted. */
export class Interrupted extends Error {
  override name = "Interrupted";
}

export interface World {
  directory: string;
  tally: Tally;
  killEveryMs: number;
  /** No new work is begun after this instant, in milliseconds since 1970. */
  until: number;
  interrupted: boolean;
}

/** How a snapshot is taken: `known` compares all bytes with the backing store, `free` leaves free blocks out. */
type Sort = { way: "known" | "free"; room: Room };

export class Life {
  private readonly image: string;
  private readonly bytes: number;
  private readonly surface: Surface;
  private tail: Tail | null = null;
  private open: OpenSnapshot[] = [];
  private number = 0;
  private cleanup = new Cleanup();

  constructor(
    private readonly world: World,
    private readonly kind: Kind,
    private readonly store: Store,
    private readonly loadedBytes: number,
    private readonly random: Random,
    private readonly name: string,
  ) {
    this.bytes = loadedBytes + TAIL_BYTES;
    this.image = join(world.directory, `${name}.img`);
    const { tally } = world;
    this.surface =
      kind === "raw"
        ? new RawSurface(loadedBytes, tally)
        : new FileSystemSurface(
            kind,
            loadedBytes,
            join(world.directory, `${name}.mnt`),
            random.named(`${name} tree`),
            tally,
          );
  }

  /** Attaches some times in a row, and lives between. Cleans up whatever happened. */
  async run(attachments: number): Promise<void> {
    const store = await BackingStore.make(this.store, this.image, this.bytes);
    try {
      for (let n = 0; n < attachments && this.mayGoOn; n += 1) await this.attachment(store);
    } finally {
      await store.remove();
    }
  }

  private get mayGoOn(): boolean {
    if (this.world.interrupted) throw new Interrupted("interrupted");
    return Date.now() < this.world.until;
  }

  private async attachment(store: BackingStore): Promise<void> {
    this.open = [];
    this.tail = null;
    this.cleanup = new Cleanup();
    try {
      await this.liveAndEnd(store);
    } finally {
      await this.cleanup.run();
    }
  }

  private async liveAndEnd(store: BackingStore): Promise<void> {
    const { directory, tally } = this.world;
    const places = await CachePlaces.make(this.cleanup, join(directory, `${this.name}.caches`));
    const sectorSize = this.random.pick([512, 4096]);
    const threads = this.random.pick([2, 4, 16]);
    const volume = await AttachedVolume.adopt(
      this.cleanup,
      directory,
      this.name,
      store.path,
      join(directory, `${this.name}.run`),
      ...["--sector-size", String(sectorSize), "--threads", String(threads)],
    );
    await this.surface.begin(this.cleanup, volume, sectorSize);
    const killer = new Killer(
      this.cleanup,
      volume,
      this.world.killEveryMs,
      this.random.named(`${this.name} kills`),
      tally,
    );
    await serveNbd(volume);
    this.tail = new Tail(this.cleanup, volume, this.loadedBytes, tally);
    await this.takeTwoAndCompareChanges(volume, places, killer);
    for (const sort of this.firstSorts()) {
      if (!this.mayGoOn) break;
      await this.take(volume, places, sort);
      await this.wellAfter(killer, this.random.whole(100, 800));
      for (const snapshot of [...this.open]) await this.look(volume, snapshot, "all");
    }
    const end = Math.min(this.world.until, Date.now() + this.random.whole(5_000, 40_000));
    while (Date.now() < end && this.mayGoOn) {
      await this.act(volume, places);
      await this.wellAfter(killer, this.random.whole(0, 1000));
    }
    for (const snapshot of [...this.open]) {
      await this.look(volume, snapshot, "hash");
      if (this.open.includes(snapshot)) await this.give(volume, snapshot);
    }
    await killer.stop();
    if (killer.failure !== null) throw killer.failure;
    await this.tail.end();
    await this.surface.end();
    await this.takeApart(volume, places);
    tally.lives += 1;
  }

  private async takeTwoAndCompareChanges(volume: AttachedVolume, places: CachePlaces, killer: Killer): Promise<void> {
    for (let n = 0; n < 2 && this.mayGoOn; n += 1) {
      await this.take(volume, places, { way: "known", room: "roomy" });
      await this.wellAfter(killer, this.random.whole(100, 800));
    }
    await this.compareChanges(volume);
    for (const snapshot of [...this.open]) await this.give(volume, snapshot);
  }

  /** Between the first and the last of those that hold every block. */
  private async compareChanges(volume: AttachedVolume): Promise<void> {
    const whole = this.open.filter((snapshot) => snapshot.isWhole);
    const [earlier, later] = [whole[0], whole.at(-1)];
    if (earlier === undefined || later === undefined || earlier === later) return;
    await compareChanges(volume, this.bytes, earlier.id, later.id, this.world.tally);
  }

  private firstSorts(): Sort[] {
    const ways: Sort["way"][] = this.kind === "raw" ? ["known"] : ["known", "free"];
    const rooms: Room[] = this.random.shuffled(["small", "fullDisk"]);
    const roomy = this.random.shuffled(ways).map((way) => ({ way, room: this.random.pick(["roomy", "spill"]) }));
    return [...roomy, ...rooms.map((room) => ({ way: this.random.pick(["known", ways.at(-1) ?? "known"]), room }))];
  }

  private async wellAfter(killer: Killer, ms: number): Promise<void> {
    await pause(ms);
    if (killer.failure !== null) throw killer.failure;
    this.surface.mustBeWell();
    this.tail?.mustBeWell();
  }

  private async act(volume: AttachedVolume, places: CachePlaces): Promise<void> {
    const one = this.random.pick([null, null, ...this.open] as [OpenSnapshot | null, ...(OpenSnapshot | null)[]]);
    if (one === null) {
      const [way, room] = [
        this.random.pick(["known", "free"]),
        this.random.pick(["roomy", "roomy", "spill", "small", "fullDisk"]),
      ];
      await this.take(volume, places, { way: this.kind === "raw" ? "known" : way, room });
    } else if (this.random.chance(0.3)) {
      await this.look(volume, one, "hash");
      if (this.open.includes(one)) await this.give(volume, one);
    } else if (this.random.chance(0.2)) {
      await this.compareChanges(volume);
    } else {
      await this.look(volume, one, this.random.pick(["hash", "tree", "soundness", "nbd"]));
    }
  }

  private async take(volume: AttachedVolume, places: CachePlaces, { way, room }: Sort): Promise<void> {
    const oldest = this.open[0];
    if (this.open.length >= MOST_OPEN && oldest !== undefined) await this.give(volume, oldest);
    await this.surface.tree?.change();
    const choice: SnapshotChoice = {
      ...places.choose(room, this.bytes, this.random),
      skipFreeBlocks: way === "free",
    };
    const id = `${this.kind}-${++this.number}`;
    const tree = this.surface.tree && { manifest: this.surface.tree.manifest, bytes: this.surface.tree.bytes };
    try {
      await prepare(volume, id, choice);
    } catch (error) {
      if (error instanceof EngineRefused && error.kind === "noSpace" && onFullDisk(room)) return;
      throw error;
    }
    const instant =
      way === "free" ? await this.freeze(volume, id) : await this.atRest(() => this.takeKnown(volume, id, choice));
    if (instant === undefined) return;
    this.world.tally.snapshots += 1;
    const { tally } = this.world;
    const taken = { id, room, instant, tree };
    this.open.push(new OpenSnapshot(volume, this.kind, this.bytes, taken, tally, this.cleanup));
    await this.surface.tree?.change();
  }

  private atRest<T>(then: () => Promise<T>): Promise<T> {
    const resting = () => this.surface.atRest(then);
    return this.tail === null ? resting() : this.tail.atRest(resting);
  }

  private async takeKnown(volume: AttachedVolume, id: string, choice: SnapshotChoice): Promise<string> {
    await activate(volume, id, choice);
    return hashOf(this.image);
  }

  /** As the worker takes one. Undefined where a kill came between: no snapshot then. */
  private async freeze(volume: AttachedVolume, id: string): Promise<null | undefined> {
    const { report, stderr } = await freezeGroup(freezeRequest([volume], id));
    if (report?.ok === true) return null;
    const killed = this.world.killEveryMs > 0 && report?.kind === "activate";
    if (!killed) throw new Error(`not taken: ${JSON.stringify(report)} ${stderr}`);
    await release(volume, id);
    return undefined;
  }

  /** Compares an image, unless its cache has run full; then it is released. */
  private async look(
    volume: AttachedVolume,
    one: OpenSnapshot,
    at: "hash" | "tree" | "soundness" | "nbd" | "all",
  ): Promise<void> {
    try {
      if (at === "all" || at === "hash") await one.lookAtHash();
      if (at === "all" || at === "tree") await one.lookAtTree();
      if (at === "all" || at === "soundness") await one.lookAtSoundness();
      if (at === "all" || at === "nbd") await one.lookOverNbd();
    } catch (error) {
      // An image that was given up fails to be read; what it still shows must never be wrong.
      if (error instanceof Difference || !(await one.isLost())) throw error;
    }
    if (!(await one.isLost())) return;
    await this.give(volume, one);
    this.surface.mustBeWell();
    this.world.tally.add("overflow");
  }

  private async give(volume: AttachedVolume, one: OpenSnapshot): Promise<void> {
    await one.unexport();
    await release(volume, one.id);
    this.open = this.open.filter((other) => other !== one);
  }

  /** Nothing is open or mounted: caches are gone, and the backing store alone holds the volume. */
  private async takeApart(volume: AttachedVolume, places: CachePlaces): Promise<void> {
    const { tally } = this.world;
    for (const directory of places.directories) {
      const left = existsSync(directory) ? await readdir(directory) : [];
      if (left.length > 0) throw new Difference("cachesGone", `${directory} holds ${left.join(", ")}`);
    }
    tally.add("cachesGone");
    const live = await hashOf(volume.device);
    await mustEngineCommand("detach", "--run-dir", volume.runDirectory);
    const resting = await hashOf(this.image);
    if (live !== resting) throw new Difference("backingStore", `${this.kind}: ${live} live, ${resting} at rest`);
    tally.add("backingStore", this.bytes);
    await this.tail?.mustHold(this.image);
  }
}
