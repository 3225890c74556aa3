/**
 * Writes as ticks. The room between two measurements is cut into columns; as many of them get a tick as
 * there were writes (all, when there were more writes than columns), and a tick's height is the rate. So
 * a tick never stands for nothing, and a quiet stretch is empty: none stands after the last write that a
 * measurement knows of, nor inside the quiet window, however far apart the measurements are.
 */
import type { Lane } from "./lanes-data";

export type Tick = { x: number; height: number };

const COLUMN_PX = 3;

/** Rates spread over orders of magnitude: the square root keeps the small ones visible. */
function tickHeight(rate: number, maxRate: number, room: number): number {
  return maxRate <= 0 ? 0 : 2 + Math.sqrt(Math.min(1, rate / maxRate)) * (room - 2);
}

/** The largest rate of all lanes, bytes a second, by which all of them are scaled. */
export function largestRate(lanes: readonly Lane[]): number {
  let most = 0;
  for (const lane of lanes)
    for (let i = 1; i < lane.points.length; i++) {
      const a = lane.points[i - 1];
      const b = lane.points[i];
      if (a && b && b.at > a.at) most = Math.max(most, (b.writeBytes - a.writeBytes) / ((b.at - a.at) / 1000));
    }
  return most;
}

export function writeTicks(lane: Lane, x: (at: number) => number, maxRate: number, room: number): Tick[] {
  const columns = new Map<number, number>();
  for (let i = 1; i < lane.points.length; i++) {
    const a = lane.points[i - 1];
    const b = lane.points[i];
    if (!a || !b || b.at <= a.at) continue;
    const writes = b.writes - a.writes;
    if (writes <= 0) continue;
    const height = tickHeight((b.writeBytes - a.writeBytes) / ((b.at - a.at) / 1000), maxRate, room);
    const first = Math.floor(x(a.at) / COLUMN_PX);
    const end = b.lastWriteAt !== null && b.lastWriteAt > a.at ? Math.min(b.at, b.lastWriteAt) : b.at;
    const last = Math.max(first, Math.ceil(x(end) / COLUMN_PX) - 1);
    const ticks = Math.min(writes, last - first + 1);
    for (let n = 0; n < ticks; n++) {
      const column = first + Math.floor(((n + 0.5) * (last - first + 1)) / ticks);
      columns.set(column, Math.max(columns.get(column) ?? 0, height));
    }
  }
  const { quiet } = lane;
  const isQuiet = (column: number) =>
    quiet !== null && (column + 0.5) * COLUMN_PX > x(quiet.from) && (column + 0.5) * COLUMN_PX < x(quiet.to);
  return [...columns]
    .filter(([column]) => !isQuiet(column))
    .map(([column, height]) => ({ x: column * COLUMN_PX + COLUMN_PX / 2, height }));
}

/** All ticks as one path, standing on `baseline`. */
export function ticksPath(ticks: readonly Tick[], baseline: number): string {
  return ticks.map((tick) => `M${tick.x} ${baseline}v${-tick.height.toFixed(1)}`).join("");
}
