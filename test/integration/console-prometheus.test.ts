/** The dashboard and the alert rules in a real Prometheus that reads a real console. The worker is a scripted peer. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { programRoot } from "@/server/console/program-root";
import type { RunEvent } from "@/server/core/contracts/run";
import { Cleanup } from "../fixtures/cleanup";
import { ConsoleUnderTest, eventually } from "../fixtures/console-under-test";
import { cacheLocation, goingWell, jobInput, sample, started, volume } from "../fixtures/link-documents";
import { prometheusProgram } from "../fixtures/prometheus-package";
import { PrometheusServer } from "../fixtures/prometheus-server";
import { ScriptedWorker } from "../fixtures/scripted-worker";

interface Panel {
  id: number;
  title: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets: { refId: string; expr: string }[];
}

const MIB = 1024 * 1024;
const awkward = 'mail "old" \\ new';
const monitoring = (file: string) => path.join(programRoot(), "public/monitoring", file);
const dashboard: { panels: Panel[]; templating: { list: { name: string; query: { query: string } | string }[] } } =
  JSON.parse(readFileSync(monitoring("grafana-dashboard.json"), "utf8"));

const cleanup = new Cleanup();
const it = new ConsoleUnderTest();
const worker = new ScriptedWorker();
let prometheus: PrometheusServer;
let hostName: string | undefined;

/** A host with a volume in each state, orphans, a run that failed and one that went well while Prometheus was reading. */
beforeAll(async () => {
  cleanup.add("remove the console", () => it.remove());
  await it.start();
  const client = it.client(await it.signUp());
  worker.answers["cache.list"] = () => [cacheLocation(60 * MIB)];
  const { hostId } = await worker.connect(it.origin, it.hostKey);
  cleanup.add("drop the worker", () => worker.drop());
  worker.volumes([volume("data"), volume(awkward)]);
  worker.samples([
    { ...sample("data", new Date(), 60 * MIB), quietMs: 1500 },
    { ...sample(awkward, new Date()), openSnapshots: 0 },
  ]);
  const { id } = await client.jobs.create.mutate(jobInput(hostId, awkward, ["data"]));
  await eventually(async () => (await client.volumes.list.query({})).length === 2);
  hostName = (await client.hosts.list.query())[0]?.name;
  const { key } = await client.apiKeys.create.mutate({ name: "prometheus", scopes: ["metrics"], expiresInDays: 1 });
  prometheus = await PrometheusServer.start(cleanup, it.origin, key, monitoring("alert-rules.yml"));

  const run = async (...events: RunEvent[]) => {
    const { runId } = await client.jobs.run.mutate({ id });
    worker.emit(runId, ...events);
    await eventually(async () => (await client.runs.get.query({ id: runId })).run.endedAt !== null);
  };
  const at = () => new Date().toISOString();
  const waited: RunEvent = { type: "quietEnded", at: at(), group: 0, from: at(), waitedMs: 700, timedOut: true };
  const frozen: RunEvent = {
    type: "frozen",
    at: at(),
    group: 0,
    frozenMs: 12,
    spreadMs: 1,
    volumes: [{ name: "data", takenAt: at() }],
  };
  await run(started("data"), waited, frozen, ...goingWell("data"));
  await run(
    started("data"),
    { type: "failure", at: at(), code: "SF-101", volume: "data", message: "no", evidence: {} },
    { type: "ended", at: at(), outcome: "failed", code: "SF-101" },
  );
  await eventually(
    async () => (await prometheus.query("sum(increase(stillframe_failures_total[1m])) > 0")).length,
    30_000,
  );
});
afterAll(() => cleanup.run());

/** As Grafana fills them in with "All" chosen. */
const filledIn = (expression: string) =>
  expression.replaceAll("$__rate_interval", "1m").replaceAll(/\$(host|backup_job)\b/g, ".*");

test.each(dashboard.panels.flatMap(({ title, targets }) => targets.map(({ refId, expr }) => [title, refId, expr])))(
  'the panel "%s" has figures (%s)',
  async (_title, _refId, expression) => {
    const series = await prometheus.query(filledIn(expression));
    expect(series.length).toBeGreaterThan(0);
    expect(series.filter(({ value }) => !Number.isFinite(value))).toEqual([]);
  },
);

test("the dashboard's choices list the hosts and the jobs, whatever they are called", async () => {
  const choices = dashboard.templating.list.flatMap(({ query }) => (typeof query === "string" ? [] : [query.query]));
  const listed = await Promise.all(
    choices.map((choice) => {
      const [, series = "", label = ""] = /^label_values\((\w+), (\w+)\)$/.exec(choice) ?? [];
      return prometheus.labelValues(series, label);
    }),
  );
  expect(listed).toEqual([[hostName], [awkward]]);
});

test("no panel of the dashboard lies on another, or has another's number", () => {
  const { panels } = dashboard;
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
  expect(Math.max(...panels.map(({ gridPos: { x, w } }) => x + w))).toBeLessThanOrEqual(24);
});

test("every alert rule is evaluated; what is wrong here fires or is about to, with its name, and nothing else", async () => {
  const written = readFileSync(monitoring("alert-rules.yml"), "utf8").match(/- alert: /g)?.length;
  await eventually(async () => (await prometheus.alerts()).length >= 5, 30_000);
  expect(await prometheus.rules()).toEqual({ count: written, faults: [] });
  const alerts = await prometheus.alerts();
  expect(alerts.map(({ name, state }) => `${name} ${state}`).sort()).toEqual([
    "StillframeCacheLocationLow pending",
    "StillframeCacheOrphans pending",
    "StillframeFailuresUnresolved pending",
    "StillframeRunFailed firing",
    "StillframeSnapshotCacheFilling pending",
  ]);
  expect(alerts.find(({ name }) => name === "StillframeRunFailed")?.summary).toBe(`A run of "${awkward}" failed`);
});

test("each alert rule fires when it should and not before (Prometheus's own test of rules)", async () => {
  const cases = path.join(import.meta.dirname, "alert-rules.promtool.yml");
  const { stdout } = await promisify(execFile)(await prometheusProgram("promtool"), ["test", "rules", cases], {
    cwd: programRoot(),
  }).catch((error: { stdout: string; stderr: string }) => {
    throw new Error(`expected the rules to hold: ${error.stdout}${error.stderr}`);
  });
  expect(stdout).toContain("SUCCESS");
});
