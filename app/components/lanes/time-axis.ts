/** Round times for the axis, and a frame that does not move at every new measurement. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const steps = [
  ...[50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12, 24, 48].map((n) => n * HOUR),
];

/** Step between labels such that at most `most` of them fit. */
export function axisStep(span: number, most: number): number {
  return steps.find((step) => span / step <= most) ?? span;
}

export function axisTimes(from: number, to: number, most: number): number[] {
  const step = axisStep(to - from, most);
  const times: number[] = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) times.push(at);
  return times;
}

/**
 * End of the frame of a live run: some room ahead of the present, in jumps, so that the picture stands
 * still between them.
 */
export function frameEnd(from: number, now: number, expectedEnd: number | null): number {
  const wanted = Math.max((now - from) * 1.12, expectedEnd ? expectedEnd - from : 0, 10 * SECOND);
  const step = axisStep(wanted, 8);
  return from + Math.ceil(wanted / step) * step;
}
