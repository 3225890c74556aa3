import { formatBytes } from "@/server/core/text/bytes";
import { formatBytesOf, formatRate } from "../format";
import { formatTime } from "../time";
import { cacheAt, type Lane, type LanesData, rateAt } from "./lanes-data";

/** What one lane says at one time, in words. */
export type LaneReading = { name: string; writes: string; cache: string };
export type Reading = { at: number; time: string; lanes: LaneReading[] };

/** Exact values at a time; the rate over a hundredth of the picture, at least half a second. */
export function readAt(data: LanesData, at: number, zone: string): Reading {
  const span = Math.max(500, (data.to - data.from) / 100);
  return {
    at,
    time: formatTime(at, data.to - data.from < 600_000 ? "exact" : "clock", zone),
    lanes: data.lanes.map((lane) => readLane(lane, at, span, data.now)),
  };
}

function readLane(lane: Lane, at: number, span: number, now: number | null): LaneReading {
  const future = now !== null && at > now;
  const rate = future ? null : rateAt(lane, at, span);
  const writes = future
    ? "not yet"
    : rate === null
      ? "not measured"
      : rate.writes === 0
        ? "quiet"
        : `${formatRate(rate.bytes)}, ${rate.writes < 10 ? rate.writes.toFixed(1) : Math.round(rate.writes)} writes/s`;
  return { name: lane.name, writes, cache: cacheWords(lane, at, future) };
}

function cacheWords(lane: Lane, at: number, future: boolean): string {
  if (future) return "not yet";
  if (lane.frozenAt === null || at < lane.frozenAt) return "no snapshot yet";
  if (lane.released && at > lane.released.at) return lane.released.word;
  const used = cacheAt(lane, at);
  return lane.cacheMax > 0 ? formatBytesOf(used, lane.cacheMax) : formatBytes(used);
}

/** The same as one sentence, for a screen reader. */
export function sayReading(reading: Reading): string {
  return `${reading.time}: ${reading.lanes
    .map((lane) => `${lane.name}: writes ${lane.writes}, cache ${lane.cache}`)
    .join("; ")}`;
}
