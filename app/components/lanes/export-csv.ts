/**
 * The lanes as comma-separated values: a line for each measurement that is kept, and one for each thing that happened.
 * Sizes are bytes, rates bytes a second, times ISO 8601 in UTC by the host's clock; counters begin where the engine was
 * attached. A rate is that since the volume's measurement before; `peak` is above it where measurements were merged.
 */
import { toCsv } from "@/server/core/text/csv";
import { cacheAt, type Lane, type LanesData, rateOf } from "./lanes-data";

type Row = (string | number | null)[];

const head = [
  "volume",
  "at",
  "event",
  "writes",
  "writtenBytes",
  "bytesPerSecond",
  "writesPerSecond",
  "peakBytesPerSecond",
  "cacheUsedBytes",
  "cacheMaxBytes",
];

export function lanesCsv(data: LanesData): string {
  return toCsv([head, ...data.lanes.flatMap(laneRows)]);
}

function laneRows(lane: Lane): Row[] {
  const measured = lane.points.map((point, i) => {
    const rate = rateOf(lane.points[i - 1], point);
    const row: Row = [
      lane.name,
      iso(point.at),
      "measured",
      point.writes,
      point.writeBytes,
      rounded(rate?.bytes),
      rounded(rate?.writes),
      rounded(rate?.peak),
      cacheAt(lane, point.at),
      lane.cacheMax,
    ];
    return { at: point.at, row };
  });
  const { quiet, frozenAt, released } = lane;
  const happened = [
    ...(quiet ? [event(lane, quiet.from, "quiet window begins"), event(lane, quiet.to, "quiet window ends")] : []),
    ...(frozenAt === null ? [] : [event(lane, frozenAt, "frozen")]),
    ...(released ? [event(lane, released.at, released.word)] : []),
  ];
  return [...measured, ...happened].sort((a, b) => a.at - b.at).map(({ row }) => row);
}

function event(lane: Lane, at: number, word: string): { at: number; row: Row } {
  return { at, row: [lane.name, iso(at), word, ...new Array(7).fill(null)] };
}

const iso = (at: number) => new Date(at).toISOString();
const rounded = (value: number | undefined) => (value === undefined ? null : Math.round(value * 1000) / 1000);
