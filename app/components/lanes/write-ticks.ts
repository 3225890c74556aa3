/**
 * Writes as ticks. Time is cut into columns; of those between two measurements as many get a tick as there were
 * writes (all, when there were more writes than columns), and a tick's height is the rate. So a tick never stands for
 * nothing, and a quiet stretch is empty: none stands after the last write that a measurement knows of, nor inside the
 * quiet window, however far apart the measurements are.
 *
 * Ten times a second something is measured, so what is drawn already stays. Columns are counted from an origin that
 * does not move with the picture, a stretch of them is one path, and new measurements change the last stretch alone;
 * the picture moves by moving all paths. Everything is computed again when the zoom, the scale or the quiet window
 * changes, and when points were merged.
 */
import type { Frame } from "./frame";
import { type Lane, type LanePoint, rateOf } from "./lanes-data";

const COLUMN_PX = 3;
const STRETCH_COLUMNS = 80;
/** The origin moves on after so many widths: coordinates stay small enough for the browser's precision. */
const WIDTHS_PER_ORIGIN = 8;

/** `x`: where the origin stands now; paths are drawn from there. */
export type DrawnTicks = { x: number; paths: { key: number; d: string }[] };

type Stretch = { heights: Map<number, number>; d: string | null };

/** Bytes a second by which all lanes are scaled: their largest rate, rounded up to a step so that it seldom changes. */
export function largestRate(lanes: readonly Lane[]): number {
  let most = 0;
  for (const lane of lanes) for (const point of lane.points) if (point.peak > most) most = point.peak;
  return most === 0 ? 0 : 2 ** Math.ceil(Math.log2(most));
}

/** Rates spread over orders of magnitude: the square root keeps the small ones visible. */
function tickHeight(rate: number, maxRate: number, room: number): number {
  return maxRate <= 0 ? 0 : 2 + Math.sqrt(Math.min(1, rate / maxRate)) * (room - 2);
}

/** The ticks of one lane, kept from one drawing to the next. */
export class WriteTicks {
  #key = "";
  #stretches = new Map<number, Stretch>();
  /** Points before this index are drawn; `#last` is the one before it. */
  #next = 0;
  #last: LanePoint | null = null;

  /** Ticks stand on the line y = 0 of their paths, at most `room` high. */
  draw(lane: Lane, frame: Frame, maxRate: number, room: number): DrawnTicks {
    const span = frame.to - frame.from;
    const columnMs = (span / Math.max(1, frame.right - frame.left)) * COLUMN_PX;
    const origin = Math.floor(frame.from / (span * WIDTHS_PER_ORIGIN)) * span * WIDTHS_PER_ORIGIN;
    const { points, quiet } = lane;
    const key = [columnMs.toFixed(6), origin, maxRate, room, quiet?.from, quiet?.to].join(" ");
    if (key !== this.#key || (this.#next > 0 && points[this.#next - 1] !== this.#last))
      this.#begin(key, points, origin);
    const isQuiet = (column: number) => {
      const at = origin + (column + 0.5) * columnMs;
      return quiet !== null && at > quiet.from && at < quiet.to;
    };
    const furthest = Math.ceil((frame.to + span - origin) / columnMs);
    for (; this.#next < points.length; this.#next++) {
      const before = points[this.#next - 1];
      const point = points[this.#next];
      if (!point || (before && before.at > frame.to)) break;
      this.#last = point;
      if (before) this.#take(before, point, { origin, columnMs, maxRate, room, furthest, isQuiet });
    }
    const first = Math.floor((frame.from - origin) / columnMs / STRETCH_COLUMNS);
    const end = Math.ceil((frame.to - origin) / columnMs / STRETCH_COLUMNS);
    const paths: DrawnTicks["paths"] = [];
    for (let stretch = first; stretch <= end; stretch++) {
      const d = this.#path(stretch);
      if (d !== "") paths.push({ key: stretch, d });
    }
    return { x: Math.round(frame.x(origin)), paths };
  }

  #begin(key: string, points: readonly LanePoint[], origin: number): void {
    this.#key = key;
    this.#stretches = new Map();
    this.#next = Math.max(0, points.findIndex((point) => point.at >= origin) - 1);
    this.#last = points[this.#next - 1] ?? null;
  }

  #take(
    before: LanePoint,
    point: LanePoint,
    grid: {
      origin: number;
      columnMs: number;
      maxRate: number;
      room: number;
      furthest: number;
      isQuiet: (column: number) => boolean;
    },
  ): void {
    const writes = point.writes - before.writes;
    const rate = rateOf(before, point);
    if (writes <= 0 || !rate) return;
    const { lastWriteAt } = point;
    const until = lastWriteAt !== null && lastWriteAt > before.at ? Math.min(point.at, lastWriteAt) : point.at;
    const first = Math.floor((before.at - grid.origin) / grid.columnMs);
    const last = Math.max(first, Math.ceil((until - grid.origin) / grid.columnMs) - 1);
    const size = last - first + 1;
    const ticks = Math.min(writes, size);
    const height = tickHeight(rate.peak, grid.maxRate, grid.room);
    // Two measurements that lie many pictures apart: only what is near the picture.
    const begun = first < 0 ? Math.floor((-first / size) * ticks) : 0;
    for (let n = begun; n < ticks; n++) {
      const column = first + Math.floor(((n + 0.5) * size) / ticks);
      if (column > grid.furthest) break;
      if (!grid.isQuiet(column)) this.#stand(column, height);
    }
  }

  #stand(column: number, height: number): void {
    const place = Math.floor(column / STRETCH_COLUMNS);
    let stretch = this.#stretches.get(place);
    if (!stretch) {
      stretch = { heights: new Map(), d: null };
      this.#stretches.set(place, stretch);
    }
    if (height <= (stretch.heights.get(column) ?? 0)) return;
    stretch.heights.set(column, height);
    stretch.d = null;
  }

  #path(place: number): string {
    const stretch = this.#stretches.get(place);
    if (!stretch) return "";
    stretch.d ??= [...stretch.heights]
      .map(([column, height]) => `M${column * COLUMN_PX + COLUMN_PX / 2} 0v${-Math.round(height * 10) / 10}`)
      .join("");
    return stretch.d;
  }
}
