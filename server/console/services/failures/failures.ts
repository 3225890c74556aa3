/** Failures with their evidence and the log around them. */
import type { FailureDetail, FailureView } from "@/server/core/contracts/views";
import type { FailureStore } from "../../data/failures";
import { fault } from "../fault-error";
import type { RunLog } from "../runs/run-log";

const MOST_EVENTS = 5000;

export class Failures {
  readonly #store: FailureStore;
  readonly #log: RunLog;

  constructor(store: FailureStore, log: RunLog) {
    this.#store = store;
    this.#log = log;
  }

  list(): Promise<FailureView[]> {
    return this.#store.list({ unresolvedOnly: false });
  }

  unresolved(): Promise<FailureView[]> {
    return this.#store.list({ unresolvedOnly: true });
  }

  async get(id: string): Promise<FailureDetail> {
    const failure = await this.#store.find(id);
    if (!failure) throw fault("notFound", "There is no such failure.", { field: "id" });
    return { ...failure, events: await this.#log.after(failure.runId, 0, MOST_EVENTS) };
  }
}
