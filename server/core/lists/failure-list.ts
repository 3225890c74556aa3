/** The list of failures: what can be asked of it, and the answer. */
import { z } from "zod";
import type { FailureGroup } from "../contracts/views";
import { errorCodes } from "../errors/codes";
import { errorTable } from "../errors/table";
import { needsAttention } from "./failure-groups";
import { listFields } from "./list-query";
import { containsWords, cutPage, type Page } from "./paging";

export const failureListSchema = z
  .object({
    ...listFields,
    state: z.enum(["attention", "acknowledged", "resolved", "all"]).default("attention"),
    code: z.enum(["", ...errorCodes]).default(""),
    hostId: z.string().default(""),
    sort: z.enum(["latest", "oldest", "often"]).default("latest"),
  })
  .strict();
export type FailureListQuery = z.output<typeof failureListSchema>;

const states: Record<FailureListQuery["state"], (group: FailureGroup) => boolean> = {
  attention: needsAttention,
  acknowledged: (group) => !group.resolved && group.acknowledgement !== null,
  resolved: (group) => group.resolved,
  all: () => true,
};

const orders: Record<FailureListQuery["sort"], (a: FailureGroup, b: FailureGroup) => number> = {
  latest: (a, b) => Date.parse(b.newest.at) - Date.parse(a.newest.at),
  oldest: (a, b) => Date.parse(a.since) - Date.parse(b.since),
  often: (a, b) => b.times - a.times,
};

/** `hostName`: what a host is called, for the search. */
export function listFailures(
  groups: readonly FailureGroup[],
  query: FailureListQuery,
  hostName: (id: string) => string,
): Page<FailureGroup> {
  const found = groups
    .filter(states[query.state])
    .filter(({ newest }) => query.code === "" || newest.code === query.code)
    .filter(({ newest }) => query.hostId === "" || newest.hostId === query.hostId)
    .filter(({ newest }) => {
      const { code, job, volume, message, hostId } = newest;
      return containsWords(query.text, [code, errorTable[code].title, job.name, volume, message, hostName(hostId)]);
    })
    .sort(orders[query.sort]);
  return cutPage(found, query.page, groups.length);
}
