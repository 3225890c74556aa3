/** An hour of the week as the map shows it: how strong its colour is, its short value and its words. */
import { formatRate } from "@/app/components/format";
import type { VolumeHistory } from "@/server/core/contracts/history";
import { hourElsewhere, hourName } from "@/server/core/history/hour-of-week";
import { formatDuration } from "@/server/core/text/duration";

export type WeekHour = VolumeHistory["week"][number];
export type Measure = "writes" | "rests";

export const LEVELS = 5;

/** From nothing (0) to the most of the week (`LEVELS`); null where it was not measured. */
export function levelOf(hour: WeekHour, measure: Measure, most: number): number | null {
  const value = valueIn(hour, measure);
  if (value === null) return null;
  if (value <= 0 || most <= 0) return 0;
  // Rates differ by powers of ten: by their square root small ones are still told apart.
  return Math.max(1, Math.ceil(Math.sqrt(value / most) * LEVELS));
}

export function valueIn(hour: WeekHour, measure: Measure): number | null {
  return measure === "writes" ? hour.bytesPerSecond : hour.typicalQuietMs;
}

/** In a cell: `0`, `640`, `1.2M` (bytes a second), `20s`, `1h`. */
export function shortValue(hour: WeekHour, measure: Measure): string {
  const value = valueIn(hour, measure);
  if (value === null) return "–";
  return measure === "writes" ? shortBytes(value) : shortTime(value);
}

function shortBytes(bytes: number): string {
  if (bytes < 1) return "0";
  let rest = bytes;
  for (const unit of ["", "K", "M", "G"]) {
    if (rest < 1000) return `${rest < 10 && unit !== "" ? rest.toFixed(1) : Math.round(rest)}${unit}`;
    rest /= 1024;
  }
  return `${Math.round(rest)}T`;
}

function shortTime(ms: number): string {
  if (ms < 1000) return "<1s";
  if (ms < 60_000) return `${Math.round(ms / 1000)}s`;
  if (ms < 3_570_000) return `${Math.round(ms / 60_000)}m`;
  return "1h";
}

/** All that is known of it, in a line; the host's own hour where its clock is another. */
export function wordsOf(hour: WeekHour, zone: string, hostZone: string | null, nowMs: number): string {
  const name = hourName(hour.hour);
  const there = hostZone === null ? hour.hour : hourElsewhere(hour.hour, zone, hostZone, nowMs);
  const elsewhere = there === hour.hour ? "" : ` At the host (${hostZone}): ${hourName(there)}.`;
  if (hour.bytesPerSecond === null) return `${name}: not measured yet.${elsewhere}`;
  const writes = hour.bytesPerSecond < 1 ? "nothing written" : `${formatRate(hour.bytesPerSecond)} written`;
  const busiest = hour.peakBytesPerSecond ?? 0;
  const peak =
    hour.weeks > 1 && busiest > hour.bytesPerSecond + 1 ? `, ${formatRate(busiest)} in the busiest week` : "";
  const rest = hour.typicalQuietMs === null ? "" : `; rests for ${formatDuration(hour.typicalQuietMs)} at a time`;
  const weeks = hour.weeks === 1 ? "one week" : `${hour.weeks} weeks`;
  return `${name}: ${writes}${peak}${rest}. From ${hour.weeks === 0 ? `${formatDuration(hour.measuredMs)} of it` : weeks}.${elsewhere}`;
}
