"use client";
import { formatAgo } from "./format";
import { useNow, useZone } from "./zone";

const formats = {
  /** 02:05:12.218 */
  exact: { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 },
  /** 02:05:12 */
  clock: { hour: "2-digit", minute: "2-digit", second: "2-digit" },
  /** 02:05 */
  minute: { hour: "2-digit", minute: "2-digit" },
  /** 22 Nov, 02:05 */
  day: { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" },
  /** 22 Nov 2026 */
  date: { day: "numeric", month: "short", year: "numeric" },
  full: {
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    fractionalSecondDigits: 3,
  },
} as const satisfies Record<string, Intl.DateTimeFormatOptions>;

export type TimeStyle = keyof typeof formats;

const cache = new Map<string, Intl.DateTimeFormat>();
export function formatTime(at: string | number, style: TimeStyle, zone: string): string {
  const key = `${style} ${zone}`;
  let format = cache.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat("en-GB", { ...formats[style], hourCycle: "h23", timeZone: zone });
    cache.set(key, format);
  }
  return format.format(new Date(at));
}

/** An instant in the viewer's zone; the host's own writing of it on hover. */
export function Time({ at, style = "day", className }: { at: string; style?: TimeStyle; className?: string }) {
  const zone = useZone();
  return (
    <time dateTime={at} title={`${formatTime(at, "full", zone)} (${zone})\nhost’s clock: ${at}`} className={className}>
      {formatTime(at, style, zone)}
    </time>
  );
}

/** How long ago, counting on; the instant itself on hover and before the page is alive. */
export function Ago({ at, className }: { at: string; className?: string }) {
  const zone = useZone();
  const now = useNow(1000);
  return (
    <time dateTime={at} title={`${formatTime(at, "full", zone)} (${zone})\nhost’s clock: ${at}`} className={className}>
      {now === null ? formatTime(at, "day", zone) : formatAgo(now - Date.parse(at))}
    </time>
  );
}
