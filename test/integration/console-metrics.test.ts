/** `/metrics` and `/readyz` of a real console: what they say, and to whom. The worker is a scripted peer. */
import { request } from "node:http";
import Sqlite from "better-sqlite3";
import parsePrometheus from "parse-prometheus-text-format";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Scope } from "@/server/core/access/scopes";
import type { RunEvent } from "@/server/core/contracts/run";
import { ConsoleUnderTest, eventually } from "../fixtures/console-under-test";
import { cacheLocation, goingWell, jobInput, sample, started, volume } from "../fixtures/link-documents";
import { ScriptedWorker } from "../fixtures/scripted-worker";

let it: ConsoleUnderTest;
let worker: ScriptedWorker;
let cookie: string;
beforeAll(async () => {
  it = new ConsoleUnderTest();
  worker = new ScriptedWorker();
  await it.start();
  cookie = await it.signUp();
});
afterAll(async () => {
  worker.drop();
  await it.remove();
});

const MIB = 1024 * 1024;
const awkward = 'mail "old" \\ new';

const makeKey = async (name: string, scopes: Scope[]) =>
  (await it.client(cookie).apiKeys.create.mutate({ name, scopes, expiresInDays: 1 })).key;

const scrape = (key: string, headers = {}) =>
  fetch(`${it.origin}/metrics`, { headers: { authorization: `Bearer ${key}`, ...headers } });

/** The value of the one series with these labels among others. */
function figureOf(text: string, sampleName: string, labels: Record<string, string> = {}): number | undefined {
  // This parser reads the older text format, in which a counter's family is called as its samples are.
  const older = text.replace(/^(# (?:TYPE|HELP) )(\S+)(.*)$/gm, (line, start, family, rest) =>
    text.includes(`\n${family}_total`) ? `${start}${family}_total${rest}` : line,
  );
  const found = parsePrometheus(older).find((one) => one.name === sampleName);
  const metric = found?.metrics.find((one) =>
    Object.entries(labels).every(([label, value]) => one.labels?.[label] === value),
  );
  const value = metric?.value ?? metric?.count;
  return value === undefined ? undefined : Number(value);
}

/** What the format wants beyond its samples (OpenMetrics 1.0). */
function formatFaults(text: string): string[] {
  const faults: string[] = [];
  if (!text.endsWith("\n# EOF\n") || text.indexOf("# EOF") !== text.length - 6) faults.push("does not end with # EOF");
  const types = new Map<string, string>();
  let family = "";
  for (const line of text.split("\n").filter((one) => one !== "" && one !== "# EOF")) {
    const meta = /^# (TYPE|HELP|UNIT) (\S+) (.+)$/.exec(line);
    const [, keyword, name, rest] = meta ?? [];
    if (keyword === "TYPE" && name !== undefined && rest !== undefined) {
      if (types.has(name)) faults.push(`${name} begins twice`);
      types.set(name, rest);
    }
    if (name !== undefined) {
      family = name;
      continue;
    }
    const sampleName = /^[a-z_]+/.exec(line)?.[0] ?? "";
    const suffix = sampleName.slice(family.length);
    const suffixes = { gauge: [""], counter: ["_total"], histogram: ["_bucket", "_sum", "_count"] }[
      types.get(family) ?? ""
    ];
    if (!sampleName.startsWith(family) || !suffixes?.includes(suffix)) faults.push(`${line} stands in ${family}`);
  }
  return faults;
}

test("figures of hosts, volumes, caches, runs, quiet gaps and failures, in a form that parsers read", async () => {
  const client = it.client(cookie);
  worker.answers["cache.list"] = () => [cacheLocation(600 * MIB)];
  const { hostId } = await worker.connect(it.origin, it.hostKey);
  worker.volumes([volume("data"), volume(awkward)]);
  worker.samples([{ ...sample("data", new Date(), 2 * MIB), quietMs: 1500 }]);
  const { id } = await client.jobs.create.mutate(jobInput(hostId, "Nightly", ["data"]));
  const key = await makeKey("prometheus", ["metrics"]);
  await eventually(async () => (await client.volumes.list.query({})).length === 2);

  const before = await (await scrape(key)).text();
  expect(figureOf(before, "stillframe_runs_total", { backup_job: "Nightly", outcome: "succeeded" })).toBe(0);
  expect(figureOf(before, "stillframe_job_last_success_timestamp_seconds")).toBe(0);

  const run = async (...events: RunEvent[]) => {
    const { runId } = await client.jobs.run.mutate({ id });
    worker.emit(runId, ...events);
    await eventually(async () => (await client.runs.get.query({ id: runId })).run.endedAt !== null);
  };
  const at = new Date().toISOString();
  await run(
    started("data"),
    { type: "failure", at, code: "SF-101", volume: "data", message: "no", evidence: {} },
    {
      type: "ended",
      at,
      outcome: "failed",
      code: "SF-101",
    },
  );
  const whileFailed = await (await scrape(key)).text();
  expect(figureOf(whileFailed, "stillframe_failures_unresolved", { code: "SF-101" })).toBe(1);
  const quiet: RunEvent = { type: "quietEnded", at, group: 0, from: at, waitedMs: 700, timedOut: false };
  const frozen: RunEvent = {
    type: "frozen",
    at,
    group: 0,
    frozenMs: 12,
    spreadMs: 1,
    volumes: [{ name: "data", takenAt: at }],
  };
  await run(started("data"), quiet, frozen, ...goingWell("data"));

  const answer = await scrape(key);
  expect(answer.headers.get("content-type")).toBe("application/openmetrics-text; version=1.0.0; charset=utf-8");
  const text = await answer.text();
  expect(formatFaults(text)).toEqual([]);
  const host = (await client.hosts.list.query())[0]?.name ?? "";
  const expected: [string, Record<string, string>, number][] = [
    ["stillframe_host_connected", { host }, 1],
    ["stillframe_host_answers", { host }, 1],
    ["stillframe_volume_size_bytes", { host, volume: "data" }, 512 * MIB],
    ["stillframe_volume_used_bytes", { volume: awkward }, 10 * MIB],
    ["stillframe_volume_state", { volume: "data", state: "attached" }, 1],
    ["stillframe_volume_state", { volume: "data", state: "unreachable" }, 0],
    ["stillframe_volume_writes_total", { volume: "data" }, 1],
    ["stillframe_volume_quiet_seconds", { volume: "data" }, 1.5],
    ["stillframe_snapshot_cache_used_bytes", { volume: "data" }, 2 * MIB],
    ["stillframe_cache_location_free_bytes", { host, location: "/cache" }, 600 * MIB],
    ["stillframe_cache_location_orphans", { location: "/cache" }, 1],
    ["stillframe_runs_total", { backup_job: "Nightly", outcome: "succeeded" }, 1],
    ["stillframe_runs_total", { backup_job: "Nightly", outcome: "failed" }, 1],
    ["stillframe_runs_total", { backup_job: "Nightly", outcome: "interrupted" }, 0],
    ["stillframe_runs_active", {}, 0],
    ["stillframe_job_paused", { backup_job: "Nightly", host }, 0],
    ["stillframe_freeze_seconds", {}, 1],
    ["stillframe_failures_total", { code: "SF-101" }, 1],
    ["stillframe_failures_unresolved", { code: "SF-101" }, 0],
    ["stillframe_failures_total", { code: "a000851c" }, 0],
  ];
  for (const [name, labels, value] of expected) expect(figureOf(text, name, labels), name).toBe(value);
  // The parser does not tell histograms with labels apart.
  expect(text).toContain('stillframe_quiet_wait_seconds_count{found="true"} 1\n');
  expect(text).toContain('stillframe_quiet_wait_seconds_count{found="false"} 0\n');
  const succeededAt = figureOf(text, "stillframe_job_last_success_timestamp_seconds", { backup_job: "Nightly" });
  expect(succeededAt).toBeGreaterThanOrEqual(Math.floor(Date.parse(at) / 1000));

  // A host that does not tell its caches takes nothing else away.
  delete worker.answers["cache.list"];
  const without = await (await scrape(key)).text();
  expect(figureOf(without, "stillframe_host_answers", { host })).toBe(0);
  expect(figureOf(without, "stillframe_cache_location_free_bytes")).toBeUndefined();
  expect(figureOf(without, "stillframe_volume_size_bytes", { volume: "data" })).toBe(512 * MIB);

  worker.drop();
  await eventually(async () => figureOf(await (await scrape(key)).text(), "stillframe_host_connected") === 0);
});

test("a key with the scope is needed; revoked, expired or of another scope it lets nobody in", async () => {
  const { apiKeys } = it.client(cookie);
  expect((await fetch(`${it.origin}/metrics`)).status).toBe(401);
  expect((await fetch(`${it.origin}/metrics`, { headers: { cookie } })).status).toBe(401);
  const unknown = await scrape("stillframe_guess");
  expect(unknown.status).toBe(401);
  expect(unknown.headers.get("www-authenticate")).toContain("Bearer");
  const running = await scrape(await makeKey("runner", ["run"]));
  expect(running.status).toBe(403);
  expect(running.headers.get("www-authenticate")).toContain('scope="metrics read"');
  expect((await scrape(await makeKey("reader", ["read"]))).status).toBe(200);

  const key = await makeKey("revoked", ["metrics"]);
  expect((await scrape(key)).status).toBe(200);
  const post = await fetch(`${it.origin}/metrics`, { method: "POST", headers: { authorization: `Bearer ${key}` } });
  expect(post.status).toBe(405);
  const listed = (await apiKeys.list.query()).find(({ name }) => name === "revoked");
  expect(listed?.lastUsedAt).not.toBeNull();
  await apiKeys.remove.mutate({ id: listed?.id ?? "" });
  expect((await scrape(key)).status).toBe(401);

  const ended = await makeKey("ended", ["metrics"]);
  const db = new Sqlite(it.databaseFile);
  try {
    expect(JSON.stringify(db.prepare("SELECT * FROM ApiKey").all())).not.toContain(ended);
    db.prepare("UPDATE ApiKey SET expiresAt = ? WHERE name = 'ended'").run(new Date(Date.now() - 1000).toISOString());
  } finally {
    db.close();
  }
  expect((await scrape(ended)).status).toBe(401);
});

test("programs on this machine need no key where that is set, but what a proxy passes on does", async () => {
  await it.stop();
  await it.start({ STILLFRAME_METRICS: "loopback" });
  // This process's own connections to the console of before are found closed only now.
  await eventually(async () => (await fetch(`${it.origin}/healthz`).catch(() => null))?.ok);
  expect((await fetch(`${it.origin}/metrics`)).status).toBe(200);
  expect((await fetch(`${it.origin}/metrics`, { headers: { "x-forwarded-for": "192.0.2.1" } })).status).toBe(401);
  // `fetch` does not let the Host be chosen.
  const status = await new Promise((resolve, reject) => {
    const asked = request(`${it.origin}/metrics`, { headers: { host: "evil.example" } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asked.on("error", reject).end();
  });
  expect(status).toBe(401);
});

test("ready while the database answers and has every migration", async () => {
  const ask = async () => {
    const response = await fetch(`${it.origin}/readyz`);
    return { status: response.status, ...((await response.json()) as object) };
  };
  const checks = (migrations: boolean) => [
    { name: "database", ok: true },
    { name: "migrations", ok: migrations },
  ];
  expect(await ask()).toEqual({ status: 200, ok: true, checks: checks(true) });
  const db = new Sqlite(it.databaseFile);
  try {
    const newest = `SELECT MAX(migration_name) FROM "_prisma_migrations"`;
    db.exec(`UPDATE "_prisma_migrations" SET rolled_back_at = '2026-01-01' WHERE migration_name = (${newest})`);
    expect(await ask()).toEqual({ status: 503, ok: false, checks: checks(false) });
    db.exec(`UPDATE "_prisma_migrations" SET rolled_back_at = NULL`);
    expect(await ask()).toMatchObject({ status: 200, ok: true });
  } finally {
    db.close();
  }
});
