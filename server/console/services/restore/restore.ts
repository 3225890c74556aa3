/** Files out of the backup that a run made. */
import type { HostOutput, RestoreEntry } from "@/server/core/contracts/host-methods";
import type { RunStore } from "../../data/runs";
import { noteChange } from "../audit/change-note";
import { fault } from "../fault-error";
import type { Hosts } from "../hosts/hosts";
import type { Jobs } from "../jobs/jobs";
import type { Runs } from "../runs/runs";

export class Restore {
  readonly #store: RunStore;
  readonly #runs: Runs;
  readonly #jobs: Jobs;
  readonly #hosts: Hosts;

  constructor(store: RunStore, parts: { runs: Runs; jobs: Jobs; hosts: Hosts }) {
    this.#store = store;
    this.#runs = parts.runs;
    this.#jobs = parts.jobs;
    this.#hosts = parts.hosts;
  }

  async list(run: string, path: string): Promise<RestoreEntry[]> {
    const { hostId, ...backup } = await this.#backup(run);
    return this.#hosts.ask(hostId, "restore.list", { ...backup, path });
  }

  async start(run: string, paths: string[], target: string): Promise<HostOutput<"restore.start">> {
    const { hostId, ...backup } = await this.#backup(run);
    return this.#hosts.ask(hostId, "restore.start", { ...backup, paths, target });
  }

  /** The repository that the run wrote to, which the job may have left since, with the job's password. */
  async #backup(idOrNumber: string) {
    const run = await this.#runs.get(idOrNumber);
    noteChange({ subject: `${run.job.name}, run ${run.number}` });
    const spec = await this.#store.spec(run.id);
    if (spec?.destination.kind !== "restic") {
      throw fault("invalid", "This run gave its files to a command; only that program can restore them.", {
        field: "run",
      });
    }
    const password = await this.#jobs.storedPassword(run.job.id);
    if (password === null) {
      throw fault(
        "notFound",
        `The password was removed with the job “${run.job.name}”. restic itself can still restore.`,
      );
    }
    return { hostId: run.hostId, runId: run.id, repository: spec.destination.repository, password };
  }
}
