/**
 * A lane's measurements in bounded memory. When there are too many, neighbours in the older half become one: counters
 * and caches keep the later value, so no byte is lost, and the larger of the two rates stays, so no peak is.
 */
import type { LanePoint } from "./lanes-data";

const MOST_POINTS = 2000;

/**
 * Adds a measurement; one that is not newer than the last is ignored. `peak`: the largest rate since the last, bytes a
 * second, where it is known. Returns whether it was taken.
 */
export function appendPoint(
  points: LanePoint[],
  point: Omit<LanePoint, "peak">,
  peak = 0,
  most = MOST_POINTS,
): boolean {
  const last = points.at(-1);
  if (last && point.at <= last.at) return false;
  const seconds = last ? (point.at - last.at) / 1000 : 0;
  points.push({ ...point, peak: last ? Math.max(peak, (point.writeBytes - last.writeBytes) / seconds) : 0 });
  if (points.length > most) points.splice(0, points.length, ...thinned(points));
  return true;
}

/** The older half with every two neighbours as one; the first and the newer half stay. */
function thinned(points: readonly LanePoint[]): LanePoint[] {
  const half = points.length >> 1;
  const kept = points.slice(0, 1);
  for (let i = 1; i < half; i += 2) {
    const a = points[i];
    const b = i + 1 < half ? points[i + 1] : undefined;
    if (a) kept.push(b ? { ...b, peak: Math.max(a.peak, b.peak) } : a);
  }
  return kept.concat(points.slice(half));
}
