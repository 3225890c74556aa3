import type { Option } from "@/app/components/select";

const HOUR = 60;
const DAY = 24 * HOUR;
const choices = [0, HOUR, 6 * HOUR, DAY, 3 * DAY, 7 * DAY];

function lengthText(minutes: number): string {
  const [count, unit] =
    minutes % DAY === 0
      ? [minutes / DAY, "day"]
      : minutes % HOUR === 0
        ? [minutes / HOUR, "hour"]
        : [minutes, "minute"];
  return count === 1 ? `1 ${unit}` : `${count} ${unit}s`;
}

export function quietText(minutes: number): string {
  return minutes === 0 ? "every failure is told" : `the same failure at most once in ${lengthText(minutes)}`;
}

/** The usual choices, and the present one where it is another. */
export function quietOptions(present: number): Option<string>[] {
  const all = [...new Set([...choices, present])].sort((a, b) => a - b);
  return all.map((minutes) => ({
    value: String(minutes),
    label: minutes === 0 ? "Tell every one" : `At most once in ${lengthText(minutes)}`,
  }));
}
