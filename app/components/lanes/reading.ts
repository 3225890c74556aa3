import { formatBytes } from "@/server/core/text/bytes";
import { formatBytesOf, formatRate } from "../format";
import { formatTime } from "../time";
import { cacheAt, type Lane, type LanesData, type Rate, rateAt } from "./lanes-data";

/** What one lane says at one time, in words. */
export type LaneReading = { name: string; writes: string; cache: string };
export type Reading = { at: number; time: string; lanes: LaneReading[] };

/** What was last measured at a time: the same figures that the export as CSV holds. */
export function readAt(data: LanesData, at: number, zone: string): Reading {
  return { at, time: formatTime(at, "exact", zone), lanes: data.lanes.map((lane) => readLane(lane, at, data.now)) };
}

function readLane(lane: Lane, at: number, now: number | null): LaneReading {
  const future = now !== null && at > now;
  return {
    name: lane.name,
    writes: future ? "not yet" : rateWords(rateAt(lane, at)),
    cache: cacheWords(lane, at, future),
  };
}

function rateWords(rate: Rate | null): string {
  if (!rate) return "not measured";
  if (rate.writes === 0) return "quiet";
  const peak = rate.peak > rate.bytes * 1.05 ? `, peak ${formatRate(rate.peak)}` : "";
  return `${formatRate(rate.bytes)}, ${rate.writes < 10 ? rate.writes.toFixed(1) : Math.round(rate.writes)} writes/s${peak}`;
}

function cacheWords(lane: Lane, at: number, future: boolean): string {
  if (future) return "not yet";
  if (lane.frozenAt === null || at < lane.frozenAt) return "no snapshot yet";
  if (lane.released && at > lane.released.at) return lane.released.word;
  const used = cacheAt(lane, at);
  return lane.cacheMax > 0 ? formatBytesOf(used, lane.cacheMax) : formatBytes(used);
}

/** The same as one sentence, for a screen reader: of one lane, or of all. */
export function sayReading(reading: Reading, only: number | null): string {
  const lanes = only === null ? reading.lanes : reading.lanes.slice(only, only + 1);
  return `${reading.time}: ${lanes
    .map((lane) => `${lane.name}: writes ${lane.writes}, cache ${lane.cache}`)
    .join("; ")}`;
}
