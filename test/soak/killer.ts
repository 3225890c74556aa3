/** Kills one volume's engines at random instants, sometimes with the one that stands by or the keeper; measures each pause. */
import type { AttachedVolume } from "../fixtures/attached-volume";
import type { Cleanup } from "../fixtures/cleanup";
import { childrenOf, keeperAfter, keeperOf, killIfThere } from "../fixtures/engine-process";
import { KillProbe } from "../fixtures/kill-probe";
import { pause } from "../fixtures/native-program";
import { hello } from "./patience";
import type { Random } from "./random";
import type { Tally } from "./tally";

export class Killer {
  private stopped = false;
  private readonly probe: KillProbe;
  private readonly running: Promise<void>;
  /** Why it ended before it was stopped. */
  failure: Error | null = null;

  /** Begins at once, unless `everyMs` is 0. */
  constructor(
    cleanup: Cleanup,
    private readonly volume: AttachedVolume,
    private readonly everyMs: number,
    private readonly random: Random,
    private readonly tally: Tally,
  ) {
    this.probe = new KillProbe(volume.device);
    this.running = everyMs === 0 ? Promise.resolve() : this.run();
    cleanup.add("end the kills", () => this.stop());
  }

  /** No kill comes after this; the device is no longer held open. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.running;
    await this.probe.stop();
  }

  private async run(): Promise<void> {
    try {
      while (!this.stopped) {
        await this.rest(this.everyMs * 2 * this.random.fraction());
        if (!this.stopped) await this.killOnce();
      }
    } catch (error) {
      this.failure = error instanceof Error ? error : new Error(String(error));
    }
  }

  private async rest(ms: number): Promise<void> {
    const end = Date.now() + ms;
    while (!this.stopped && Date.now() < end) await pause(Math.min(50, end - Date.now()));
  }

  private async killOnce(): Promise<void> {
    const run = this.volume.runDirectory;
    const { pid } = await hello(this.volume);
    const keeper = keeperOf(run);
    const standby = childrenOf(keeper).find((child) => child !== pid);
    const way = this.random.pick(["engine", "engine", "engine", "engine", "both", "young", "keeper"]);
    if (way === "both" && standby !== undefined) this.tally.standbyKills += killIfThere(standby) ? 1 : 0;
    // Without one that stands by nobody would take the keeper's place: that is not promised.
    const keeperToo = way === "keeper" && standby !== undefined && killIfThere(keeper);
    this.tally.keeperKills += keeperToo ? 1 : 0;
    this.tally.pausesMs.push(await this.probe.kill(pid));
    this.tally.kills += 1;
    if (keeperToo) await keeperAfter(run, keeper);
    if (way === "young") {
      await pause(this.random.whole(0, 40));
      // Whoever is there now, in whatever state of its start.
      for (const young of childrenOf(keeperOf(run))) this.tally.kills += killIfThere(young) ? 1 : 0;
    }
    const next = await hello(this.volume);
    if (next.pid === pid) throw new Error(`engine ${pid} answers after its kill`);
    this.tally.add("killed");
  }
}
