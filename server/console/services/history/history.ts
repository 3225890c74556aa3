/** The past of volumes, from the roll-ups that `recorder.ts` keeps. */
import type { z } from "zod";
import type {
  HistoryRange,
  measuredVolumeSchema,
  QuietHours,
  RateHistory,
  VolumeHistory,
} from "@/server/core/contracts/history";
import { longestGaps } from "@/server/core/history/quiet-gaps";
import { quietestOfDays, quietHours } from "@/server/core/history/quiet-hours";
import { rateSeries } from "@/server/core/history/rate-series";
import type { Rollup, StepName } from "@/server/core/history/rollup";
import { type WeekHour, weekOf } from "@/server/core/history/week";
import { measuredWrites } from "@/server/core/planning/write-windows";
import type { ActivityStore } from "../../data/activity";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** What a week is drawn from. */
const WEEKS_MS = 8 * 7 * DAY;
/** Within these days gaps are looked for in rows of 5 min, before in rows of an hour. */
const FINE_GAPS_MS = 7 * DAY;
const MOST_GAPS = 10;
const SHORTEST_GAP_MS = 1000;
const MOST_HOURS = 5;
/** What the change rates for a forecast are from, in rows of 10 s and of 5 min. */
const RATES_MS = { fine: 6 * HOUR, coarse: 28 * DAY };
const MEASURES_KEPT_MS = MINUTE;

const ranges: Record<HistoryRange, { lengthMs: number; pointMs: number; step: StepName }> = {
  hour: { lengthMs: HOUR, pointMs: 10_000, step: "10s" },
  day: { lengthMs: DAY, pointMs: 5 * MINUTE, step: "5min" },
  week: { lengthMs: 7 * DAY, pointMs: 30 * MINUTE, step: "5min" },
  months: { lengthMs: 60 * DAY, pointMs: 4 * HOUR, step: "1h" },
  years: { lengthMs: 730 * DAY, pointMs: 2 * DAY, step: "1h" },
};

type Measured = z.infer<typeof measuredVolumeSchema>;
type Of = { hostId: string; volume: string };

export class History {
  readonly #store: ActivityStore;
  readonly #measures = new Map<string, { atMs: number; volumes: Promise<Measured[]> }>();

  constructor(store: ActivityStore) {
    this.#store = store;
  }

  /** `zone`: where the hours of the week are counted. */
  async volume(of: Of, zone: string): Promise<VolumeHistory> {
    const now = Date.now();
    const hours = await this.#store.rows(of, "1h", now - WEEKS_MS);
    const host = (await this.#store.volumes(of.hostId)).find((one) => one.name === of.volume);
    const fineFrom = Math.floor((now - FINE_GAPS_MS) / HOUR) * HOUR;
    const fine = await this.#store.rows(of, "5min", fineFrom);
    return {
      zone: host?.zone ?? null,
      measuredMs: measured(hours),
      week: weekOf(hours, zone),
      gaps: longestGaps([...hours.filter(({ atMs }) => atMs < fineFrom), ...fine], MOST_GAPS, SHORTEST_GAP_MS),
    };
  }

  async rates(of: Of, range: HistoryRange): Promise<RateHistory> {
    const { lengthMs, pointMs, step } = ranges[range];
    const now = Date.now();
    const rows = await this.#store.rows(of, step, now - lengthMs - pointMs);
    return { pointMs, points: rateSeries(rows, now - lengthMs, now, pointMs) };
  }

  /** What forecasts of a host's volumes go by, for backups that begin in these hours of the week (UTC; none: any). */
  measures(hostId: string, hours: readonly number[]): Promise<Measured[]> {
    const now = Date.now();
    for (const [key, { atMs }] of this.#measures) if (now - atMs >= MEASURES_KEPT_MS) this.#measures.delete(key);
    const key = `${hostId} ${hours.join(",")}`;
    const known = this.#measures.get(key);
    if (known) return known.volumes;
    const volumes = this.#measure(hostId, hours);
    this.#measures.set(key, { atMs: now, volumes });
    volumes.catch(() => this.#measures.delete(key));
    return volumes;
  }

  /** The week of each of these volumes. */
  async weeks(hostId: string, volumes: readonly string[], zone: string): Promise<WeekHour[][]> {
    const since = Date.now() - WEEKS_MS;
    const weeks: WeekHour[][] = [];
    for (const volume of volumes) weeks.push(weekOf(await this.#store.rows({ hostId, volume }, "1h", since), zone));
    return weeks;
  }

  /** The hours of the week in which these volumes rest longest, the best first. */
  async quietHours(hostId: string, volumes: readonly string[], zone: string): Promise<QuietHours> {
    const weeks = await this.weeks(hostId, volumes, zone);
    const lengths = weeks.map((week) => week.reduce((sum, { measuredMs }) => sum + measuredMs, 0));
    return {
      hours: quietHours(weeks, MOST_HOURS),
      everyDay: quietestOfDays(weeks, [0, 1, 2, 3, 4, 5, 6], "rest"),
      measuredMs: Math.min(...lengths),
    };
  }

  async #measure(hostId: string, hours: readonly number[]): Promise<Measured[]> {
    const now = Date.now();
    const all: Measured[] = [];
    for (const { name } of await this.#store.volumes(hostId)) {
      const of = { hostId, volume: name };
      const fine = await this.#store.rows(of, "10s", now - RATES_MS.fine);
      const coarse = await this.#store.rows(of, "5min", now - RATES_MS.coarse);
      const then = measuredWrites(fine, coarse, hours);
      // Hours that were not measured yet: any are better than none.
      const known = hours.length > 0 && then.windows.some(({ lengthMs }) => lengthMs >= HOUR);
      all.push({ name, ...(known ? then : measuredWrites(fine, coarse)), ofHours: known });
    }
    return all;
  }
}

function measured(rows: readonly Rollup[]): number {
  return rows.reduce((sum, { activity }) => sum + activity.measuredMs, 0);
}
