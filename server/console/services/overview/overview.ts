/** Everything that the first page shows, at once. */
import type { Overview } from "@/server/core/contracts/views";
import { overviewDigest } from "@/server/core/lists/overview-digest";
import type { Cache } from "../cache/cache";
import type { Failures } from "../failures/failures";
import type { Hosts } from "../hosts/hosts";
import type { Jobs } from "../jobs/jobs";
import type { Notifications } from "../notifications/notifications";
import type { Runs } from "../runs/runs";
import type { Volumes } from "../volumes/volumes";

const RECENT = 20;

type Parts = {
  hosts: Hosts;
  volumes: Volumes;
  runs: Runs;
  jobs: Jobs;
  failures: Failures;
  cache: Cache;
  notifications: Notifications;
};

export class OverviewService {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async get(): Promise<Overview> {
    const { hosts, volumes, runs, jobs, failures, cache, notifications } = this.#parts;
    const [h, v, recentRuns, activeRuns, j, f, c, silentChannels] = await Promise.all([
      hosts.list(),
      volumes.list(),
      runs.list({ limit: RECENT }),
      runs.active(),
      jobs.list(),
      failures.attention(),
      cache.list(),
      notifications.failing(),
    ]);
    return overviewDigest({
      ...{ hosts: h, volumes: v, recentRuns, activeRuns },
      ...{ jobs: j, failures: f, cache: c, silentChannels },
    });
  }
}
