import { expect, test } from "vitest";
import type { Run } from "@/server/core/contracts/run";
import type { CacheView, HostView, JobView, VolumeView } from "@/server/core/contracts/views";
import { type OverviewParts, overviewDigest, SHOWN } from "@/server/core/lists/overview-digest";

const host = (n: number, connected: boolean) => ({ id: `h${n}`, name: `host ${n}`, connected }) as HostView;
const volume = (n: number, more: Partial<VolumeView> = {}) =>
  ({
    ...{ name: `v${n}`, hostId: "h0", provider: "engine", state: "attached", usedBytes: 1, sizeBytes: 100 },
    ...more,
  }) as VolumeView;
const location = (path: string, more: Partial<CacheView>) =>
  ({ path, hostId: "h0", totalBytes: 100, freeBytes: 50, snapshots: [], orphans: [], ...more }) as unknown as CacheView;
const succeeded = { state: "succeeded" } as Run;
const many = <T>(count: number, make: (n: number) => T) => Array.from({ length: count }, (_, n) => make(n));

const digest = (parts: Partial<OverviewParts>) =>
  overviewDigest({
    ...{ hosts: [], volumes: [], cache: [], jobs: [], failures: [] },
    ...{ recentRuns: [succeeded], activeRuns: [], silentChannels: [], ...parts },
  });

test("a small company is shown whole, in its own order", () => {
  const { hosts, volumes, totals } = digest({
    hosts: [host(0, true), host(1, false)],
    volumes: [volume(0), volume(1, { state: "unreachable" }), volume(2, { state: "available", provider: "none" })],
  });
  expect(hosts.map(({ name }) => name)).toEqual(["host 0", "host 1"]);
  expect(volumes.map(({ name, hostName }) => `${name} of ${hostName}`)).toEqual(["v0 of host 0", "v1 of host 0"]);
  expect(totals).toMatchObject({ hosts: 2, hostsAway: 1, volumes: 2 });
});

test("of a large one come those first that are in trouble, and all are counted", () => {
  const { hosts, volumes, totals } = digest({
    hosts: many(50, (n) => host(n, n !== 40)),
    volumes: many(250, (n) => volume(n, n === 200 ? { state: "unreachable" } : n === 100 ? { usedBytes: 99 } : {})),
  });
  expect(hosts).toHaveLength(SHOWN.hosts);
  expect(hosts.map(({ id }) => id)).toContain("h40");
  expect(volumes).toHaveLength(SHOWN.volumes);
  expect(volumes.map(({ name }) => name)).toEqual(expect.arrayContaining(["v100", "v200"]));
  expect(totals).toMatchObject({ hosts: 50, hostsAway: 1, volumes: 250 });
});

test("the first steps are given a host that is there", () => {
  const hosts = many(50, (n) => host(n, n === 40));
  expect(digest({ hosts, recentRuns: [] }).hosts.some(({ connected }) => connected)).toBe(true);
});

test("the next runs come by their time, and cache files without a snapshot are summed up over all locations", () => {
  const at = (n: number) => new Date(Date.UTC(2026, 0, 1, n)).toISOString();
  const { jobs, cache, totals } = digest({
    jobs: many(20, (n) => ({ id: `j${n}`, nextRunAt: n === 0 ? null : at(20 - n) }) as unknown as JobView),
    cache: many(20, (n) =>
      location(`/cache${n}`, n === 19 ? { snapshots: ["v0"], orphans: [{ path: "/o", sizeBytes: 7 }] } : {}),
    ),
  });
  expect(jobs.map(({ id }) => id)).toEqual(["j19", "j18", "j17", "j16", "j15"]);
  expect(cache.map(({ path }) => path)).toContain("/cache19");
  expect(totals).toMatchObject({ caches: 20, orphanBytes: 7 });
});
