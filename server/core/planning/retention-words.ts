/** What a retention keeps, as a person says it. */
import { type Retention, type RetentionPeriod, retentionPeriods } from "../contracts/retention";

const spans: Record<Exclude<RetentionPeriod, "last">, [one: string, many: string]> = {
  daily: ["day", "days"],
  weekly: ["week", "weeks"],
  monthly: ["month", "months"],
  yearly: ["year", "years"],
};

/** `the newest 3 backups, and the newest of each of 7 days and 4 weeks`. Null where nothing would be kept. */
export function retentionWords(retention: Retention): string | null {
  const { last } = retention;
  const newest = last === 0 ? [] : [last === 1 ? "the newest backup" : `the newest ${last} backups`];
  const periods = retentionPeriods.flatMap((period) => {
    if (period === "last" || retention[period] === 0) return [];
    const count = retention[period];
    const [one, many] = spans[period];
    return [`${count} ${count === 1 ? one : many}`];
  });
  if (periods.length > 0) newest.push(`the newest of each of ${listed(periods)}`);
  return newest.length === 0 ? null : newest.join(", and ");
}

function listed(parts: readonly string[]): string {
  const last = parts.at(-1) ?? "";
  return parts.length < 2 ? last : `${parts.slice(0, -1).join(", ")} and ${last}`;
}
