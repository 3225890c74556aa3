/** Failures with their evidence and the log around them, and what is known of others of their kind. */
import type { FailureDetail, FailureGroup, FailureView } from "@/server/core/contracts/views";
import { groupAround, groupFailures, needsAttention } from "@/server/core/lists/failure-groups";
import { type FailureListQuery, listFailures } from "@/server/core/lists/failure-list";
import type { Page } from "@/server/core/lists/paging";
import type { FailureStore } from "../../data/failures";
import { noteChange } from "../audit/change-note";
import { fault } from "../fault-error";
import type { Hosts } from "../hosts/hosts";
import type { RunLog } from "../runs/run-log";

const MOST_EVENTS = 5000;

export class Failures {
  readonly #store: FailureStore;
  readonly #log: RunLog;
  readonly #hosts: Hosts;

  constructor(store: FailureStore, log: RunLog, hosts: Hosts) {
    this.#store = store;
    this.#log = log;
    this.#hosts = hosts;
  }

  list(runId?: string): Promise<FailureView[]> {
    return this.#store.list(runId === undefined ? {} : { runId });
  }

  async groups(query: FailureListQuery): Promise<Page<FailureGroup>> {
    const [failures, hosts] = await Promise.all([this.#store.list(), this.#hosts.list()]);
    const names = new Map(hosts.map(({ id, name }) => [id, name]));
    return listFailures(groupFailures(failures), query, (id) => names.get(id) ?? "");
  }

  /** Open ones that nobody has acknowledged, the latest first. */
  async attention(): Promise<FailureGroup[]> {
    return groupFailures(await this.#store.list({ openOnly: true })).filter(needsAttention);
  }

  async get(id: string): Promise<FailureDetail> {
    const failure = await this.#store.find(id);
    if (!failure) throw fault("notFound", "There is no such failure.", { field: "id" });
    const [kind, events] = await Promise.all([
      this.#store.list({ kind: failure }),
      this.#log.after(failure.runId, 0, MOST_EVENTS),
    ]);
    return { ...failure, group: groupAround(failure, kind), events };
  }

  /** Says for all open failures of this one's kind that somebody knows; `note` may be empty. */
  async acknowledge(id: string, by: string, note: string): Promise<FailureGroup> {
    const { group: before } = await this.get(id);
    noteChange({ subject: subjectOf(before), before: { acknowledgement: before.acknowledgement } });
    if (before.resolved) throw fault("conflict", "This is resolved: there is nothing to acknowledge any more.");
    await this.#store.acknowledge(before.newest, { by, at: new Date(), note: note || null });
    return this.#changed(id);
  }

  async takeBack(id: string): Promise<FailureGroup> {
    const { group: before } = await this.get(id);
    noteChange({ subject: subjectOf(before), before: { acknowledgement: before.acknowledgement } });
    await this.#store.acknowledge(before.newest, null);
    return this.#changed(id);
  }

  async #changed(id: string): Promise<FailureGroup> {
    const { group } = await this.get(id);
    noteChange({ after: { acknowledgement: group.acknowledgement } });
    return group;
  }
}

function subjectOf({ newest: { code, job, volume } }: FailureGroup): string {
  return `${code} of ${job.name}${volume === null ? "" : `, ${volume}`}`;
}
