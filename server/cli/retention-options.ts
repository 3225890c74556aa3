/** Which backups stay, as options: `--keep-last 3 --keep-daily 7 --prune`. */
import type { Command } from "commander";
import type { z } from "zod";
import { type RetentionPeriod, retentionPeriods, type retentionSchema } from "@/server/core/contracts/retention";
import { usageFailure } from "./failure";
import { countOption } from "./parse";

export type RetentionOptions = {
  [period in RetentionPeriod as `keep${Capitalize<period>}`]?: number;
} & { prune?: boolean; restic?: string };

export function withRetentionOptions(command: Command): Command {
  for (const period of retentionPeriods) {
    const what = period === "last" ? "the newest N backups" : `the newest of each of N ${spans[period]}`;
    command.option(
      `--keep-${period} <n>`,
      `remove old backups of the job after a good run, but keep ${what}`,
      countOption,
    );
  }
  return command.option("--prune", "free the room of removed backups at once");
}

const spans = { daily: "days", weekly: "weeks", monthly: "months", yearly: "years" } as const;

/** Undefined: every backup stays. */
export function retentionOf(options: RetentionOptions): z.input<typeof retentionSchema> | undefined {
  const { keepLast, keepDaily, keepWeekly, keepMonthly, keepYearly, prune } = options;
  const given = { last: keepLast, daily: keepDaily, weekly: keepWeekly, monthly: keepMonthly, yearly: keepYearly };
  const numbers = Object.fromEntries(Object.entries(given).filter(([, n]) => n !== undefined));
  if (Object.keys(numbers).length === 0) {
    if (prune) throw usageFailure("--prune needs something to keep, such as --keep-last 3");
    return undefined;
  }
  if (options.restic === undefined) throw usageFailure("backups are kept and removed in a repository: --restic DIR");
  return { ...numbers, ...(prune && { prune }) };
}
