/** Figures as a person reads them, beside `server/core/text` for sizes and durations. */
import { formatBytes } from "@/server/core/text/bytes";

export function formatRate(bytesPerSecond: number): string {
  return `${formatBytes(Math.round(bytesPerSecond))}/s`;
}

/** `used of max`, with one unit when both share it: `2.9 of 4.0 GiB`. */
export function formatBytesOf(used: number, max: number): string {
  const [amount, unit] = formatBytes(used).split(" ");
  const whole = formatBytes(max);
  return whole.endsWith(` ${unit}`) ? `${amount} of ${whole}` : `${formatBytes(used)} of ${whole}`;
}

const grouped = new Intl.NumberFormat("en-GB");
export function formatCount(value: number): string {
  return grouped.format(value);
}

/** Rounded down: 100 % is said only when all is done. */
export function formatPercent(share: number): string {
  return `${Math.floor(Math.min(1, Math.max(0, share)) * 100)} %`;
}

/** How long ago: `just now`, `12 s ago`, `3 min ago`, `2 h ago`, `4 days ago`. */
export function formatAgo(ms: number): string {
  if (ms < 3000) return "just now";
  if (ms < 60_000) return `${Math.floor(ms / 1000)} s ago`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ago`;
  if (ms < 172_800_000) return `${Math.floor(ms / 3_600_000)} h ago`;
  return `${Math.floor(ms / 86_400_000)} days ago`;
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${formatCount(n)} ${n === 1 ? one : many}`;
}

/** A program's message as a sentence: begins large, ends with a full stop. */
export function asSentence(message: string): string {
  const begun = message.charAt(0).toUpperCase() + message.slice(1);
  return /[.!?…]$/.test(begun) ? begun : `${begun}.`;
}
