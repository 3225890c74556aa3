/**
 * Reports of one volume as if nobody wrote to its ignored paths. Each report's changes are judged after they were made,
 * in order; what comes meanwhile is judged together. Once the program that judges has ended, every write counts until
 * another one is there; where none can be had, or the file system does not tell enough, every write from then on.
 */
import {
  type ForeignWrites,
  foreignReport,
  observeForeign,
  settleForeign,
  type VolumeChange,
  watchForeign,
} from "@/server/core/planning/foreign-writes";
import type { QuietReport } from "@/server/core/planning/quiet-window";
import { monotonicMs } from "../clock";
import type { Report } from "../engine/protocol.gen";
import { messageOf } from "../fault";
import type { PathWatch } from "./path-watch";

export class Ignoring {
  private state: ForeignWrites;
  private open: VolumeChange[] = [];
  private knownAt = 0;
  private busy = false;
  private dirty = false;
  private counting = false;
  private toldOfChanges = false;
  private reports = 0;
  private ended = false;

  constructor(
    private readonly volume: string,
    private watch: PathWatch,
    /** Another one in place of one that has ended; throws where there is none. */
    private readonly another: (ended: PathWatch, why: string) => Promise<PathWatch>,
    private readonly give: (report: QuietReport) => void,
    /** Said once: why every write counts. */
    private readonly onRefused: (reason: string) => void,
  ) {
    this.state = watchForeign(volume);
  }

  /** At the end of the wait. */
  end(): void {
    this.ended = true;
    if (this.reports > 1 && !this.toldOfChanges && !this.counting) {
      this.onRefused("its engine is older and does not say where it was written to; upgrade it");
    }
  }

  report({ quietMs, writes, changes }: Report): void {
    const at = monotonicMs();
    this.reports += 1;
    this.toldOfChanges ||= changes != null;
    const seen = observeForeign(this.state, { at, quietMs, writes, changes: this.counting ? null : (changes ?? null) });
    this.state = seen.state;
    this.open.push(...seen.open);
    this.knownAt = at;
    this.dirty = true;
    if (this.counting) this.give(foreignReport(this.state, at));
    else void this.judge();
  }

  private async judge(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    while (this.dirty && !this.counting) {
      this.dirty = false;
      const { open, knownAt } = this;
      this.open = [];
      try {
        const { foreign, foreignAt, toldAgoMs, refused } = await this.watch.judge(this.volume, open);
        const toldAt = toldAgoMs === null ? null : monotonicMs() - toldAgoMs;
        this.state = settleForeign(this.state, { foreign, foreignAt, toldAt });
        if (refused !== null) this.refuse(refused);
      } catch (error) {
        if (this.ended) return;
        this.open.unshift(...open);
        await this.goOn(messageOf(error));
      }
      this.give(foreignReport(this.state, knownAt));
    }
    this.busy = false;
  }

  private async goOn(why: string): Promise<void> {
    try {
      this.watch = await this.another(this.watch, why);
    } catch (error) {
      if (!this.ended) this.refuse(messageOf(error));
      return;
    }
    // Nobody saw meanwhile which files were written to: some may have been until now.
    this.countOpen(monotonicMs());
    const refused = this.watch.refused.get(this.volume);
    if (refused !== undefined) this.refuse(refused);
  }

  private refuse(reason: string): void {
    this.counting = true;
    this.countOpen(null);
    this.onRefused(reason);
  }

  /** What has come meanwhile is not judged any more. */
  private countOpen(toldAt: number | null): void {
    this.state = settleForeign(this.state, {
      foreign: this.open.length,
      foreignAt: this.open.length === 0 ? null : Math.max(...this.open.map(([at]) => at)),
      toldAt,
    });
    this.open = [];
  }
}
