/**
 * The HTTP API as another program uses it: a console as a process of its own, a key, and nothing else. Every answer
 * is held against the description that the console itself gives. The worker is a scripted peer.
 */
import { Validator } from "@seriousme/openapi-schema-validator";
import Ajv2020 from "ajv/dist/2020.js";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Scope } from "@/server/core/access/scopes";
import type { Run } from "@/server/core/contracts/run";
import type { FailureView, JobView, PositionedEvent, VolumeView } from "@/server/core/contracts/views";
import { errorCodes } from "@/server/core/errors/codes";
import { ConsoleUnderTest, eventually } from "../fixtures/console-under-test";
import { goingWell, jobInput, logLine, started, volume } from "../fixtures/link-documents";
import { ScriptedWorker } from "../fixtures/scripted-worker";

type Operation = { operationId: string; responses: Record<string, { content: Record<string, { schema: object }> }> };
type Description = { paths: Record<string, Record<string, Operation>>; components: { schemas: object } };
type Method = "GET" | "POST" | "PUT" | "DELETE";
type List<T> = { items: T[]; next: string | null };
type Problem = { status: number; detail: string; kind: string; errors: { field: string; given: string | null }[] };

const it = new ConsoleUnderTest();
const worker = new ScriptedWorker();
let cookie: string;
let hostId: string;
let description: Description;
const keys = {} as Record<Scope, string>;
const faults: string[] = [];

beforeAll(async () => {
  await it.startProcess();
  cookie = await it.signUp();
  const client = it.client(cookie);
  for (const scope of ["metrics", "read", "run", "manage"] as const) {
    keys[scope] = (
      await client.apiKeys.create.mutate({ name: `a ${scope}er`, scopes: [scope], expiresInDays: null })
    ).key;
  }
  ({ hostId } = await worker.connect(it.origin, it.hostKey));
  worker.volumes([volume("data"), volume("mail")]);
  await eventually(async () => (await client.volumes.list.query({})).length === 2);
  await client.jobs.create.mutate(jobInput(hostId, "Каждую ночь", ["data"]));
  await client.jobs.create.mutate(jobInput(hostId, "Mail", ["mail"]));
  description = await (await fetch(`${it.origin}/api/v1/openapi.json`)).json();
});
afterAll(async () => {
  worker.drop();
  await it.remove();
});

const ajv = new Ajv2020({ strict: false, validateFormats: false });

/** Asks, and checks the answer against the description: its status, its type, and its whole document. */
async function ask<T>(method: Method, path: string, key = keys.read, more: RequestInit = {}) {
  const response = await fetch(`${it.origin}/api/v1${path}`, {
    method,
    ...more,
    headers: { authorization: `Bearer ${key}`, ...more.headers },
  });
  const body = await response.json();
  const [pathname = ""] = `/api/v1${path}`.split("?");
  const fitting = Object.keys(description.paths).find((one) =>
    new RegExp(`^${one.replace(/\{\w+\}/g, "[^/]+")}$`).test(pathname),
  );
  const operation = description.paths[fitting ?? ""]?.[method.toLowerCase()];
  const [type = ""] = (response.headers.get("content-type") ?? "").split(";");
  if (operation) {
    const described = operation.responses[String(response.status)] ?? operation.responses.default;
    const schema = described?.content[type]?.schema;
    const valid = schema && ajv.compile({ ...schema, components: description.components });
    if (!valid?.(body)) faults.push(`${method} ${path} ${response.status}: ${JSON.stringify(valid?.errors ?? "?")}`);
  }
  return { status: response.status, headers: response.headers, body: body as T };
}

const problem = (method: Method, path: string, key?: string) => ask<Problem>(method, path, key);

/** Sends a document with the key that manages jobs. */
const tell = <T>(method: Method, path: string, document: unknown, key = keys.manage) =>
  ask<T>(method, path, key, { body: JSON.stringify(document), headers: { "content-type": "application/json" } });

test("the description is valid OpenAPI 3.1, open to anyone", async () => {
  const result = await new Validator().validate(structuredClone(description));
  expect(result.errors ?? []).toEqual([]);
  expect(result.valid).toBe(true);
  const known = Object.keys(description.components.schemas).map((id) => `#/components/schemas/${id}`);
  const references = JSON.stringify(description).matchAll(/"\$ref":"([^"]+)"/g);
  expect([...references].map(([, target = ""]) => target).filter((target) => !known.includes(target))).toEqual([]);
  const operations = Object.values(description.paths).flatMap((path) => Object.values(path));
  expect(operations.map((one) => one.operationId).sort()).toEqual([
    "cancelRun",
    "continueJob",
    "createJob",
    "getFailure",
    "getJob",
    "getRun",
    "listErrorCodes",
    "listFailures",
    "listHosts",
    "listJobs",
    "listRunEvents",
    "listRuns",
    "listVolumes",
    "pauseJob",
    "removeJob",
    "replaceJob",
    "startRun",
  ]);
});

test("jobs, hosts and volumes are read, by id or name", async () => {
  const { body } = await ask<List<JobView>>("GET", "/jobs");
  expect(body.items.map((job) => job.name)).toEqual(["Mail", "Каждую ночь"]);
  expect(JSON.stringify(body)).not.toContain("a repository's password");
  const byName = await ask<JobView>("GET", `/jobs/${encodeURIComponent("Каждую ночь")}`);
  expect(byName.body).toEqual(body.items[1]);
  expect((await ask<JobView>("GET", `/jobs/${byName.body.id}`)).body).toEqual(byName.body);
  const volumes = await ask<List<VolumeView>>("GET", `/volumes?hostId=${hostId}`);
  expect(volumes.body.items.map((one) => one.name)).toEqual(["data", "mail"]);
  expect((await ask<List<{ id: string }>>("GET", "/hosts")).body.items.map((host) => host.id)).toEqual([hostId]);
  expect(faults).toEqual([]);
});

test("a run is started, followed and cancelled; failures are read; the audit log knows the key", async () => {
  const { status, headers, body: first } = await ask<Run>("POST", "/jobs/Mail/runs", keys.run, { body: "{}" });
  expect(status).toBe(202);
  expect(headers.get("location")).toBe(`/api/v1/runs/${first.id}`);
  expect((await ask<Run>("GET", `/runs/${first.number}`)).body.id).toBe(first.id);
  const busy = await problem("POST", "/jobs/Mail/runs", keys.run);
  expect(busy).toMatchObject({ status: 409, body: { kind: "conflict", detail: expect.stringContaining("running") } });

  worker.emit(first.id, started("mail"), ...[1, 2, 3].map((n) => logLine(`line ${n}`)), ...goingWell("mail"));
  await eventually(async () => (await ask<Run>("GET", `/runs/${first.id}`)).body.state === "succeeded");
  const events: PositionedEvent[] = [];
  for (let next: string | null = `/runs/${first.id}/events?limit=4`; next !== null; ) {
    const page: List<PositionedEvent> = (await ask<List<PositionedEvent>>("GET", next)).body;
    expect(page.items.length).toBeLessThanOrEqual(4);
    events.push(...page.items);
    next = page.next?.replace("/api/v1", "") ?? null;
  }
  expect(events.map((one) => one.position)).toEqual(events.map((_, i) => i + 1));
  expect(events.at(-1)?.event.type).toBe("ended");

  const { body: second } = await ask<Run>("POST", "/jobs/Mail/runs", keys.run);
  let cancelled = "";
  worker.answers["run.cancel"] = ({ runId }: { runId: string }) => {
    cancelled = runId;
    return {};
  };
  expect((await ask<Run>("POST", `/runs/${second.number}/cancel`, keys.run)).status).toBe(202);
  expect(cancelled).toBe(second.id);
  const at = new Date().toISOString();
  worker.emit(
    second.id,
    started("mail"),
    { type: "failure", at, code: "SF-101", volume: "mail", message: "no", evidence: {} },
    { type: "ended", at, outcome: "cancelled", code: null },
  );
  await eventually(async () => (await ask<Run>("GET", `/runs/${second.id}`)).body.state === "cancelled");
  expect((await problem("POST", `/runs/${second.id}/cancel`, keys.run)).status).toBe(409);

  const newest = await ask<List<Run>>("GET", "/runs?limit=1");
  expect(newest.body.items.map((run) => run.id)).toEqual([second.id]);
  const older = await ask<List<Run>>("GET", newest.body.next?.replace("/api/v1", "") ?? "");
  expect(older.body).toMatchObject({ items: [{ id: first.id }], next: null });
  const none = await ask<List<Run>>("GET", `/runs?job=${encodeURIComponent("Каждую ночь")}`);
  expect(none.body).toEqual({ items: [], next: null });

  const failures = await ask<List<FailureView>>("GET", "/failures?resolved=false&code=SF-101");
  expect(failures.body.items).toMatchObject([{ code: "SF-101", volume: "mail", runId: second.id }]);
  expect((await ask<List<FailureView>>("GET", "/failures?resolved=true")).body.items).toEqual([]);
  const failure = await ask<FailureView>("GET", `/failures/${failures.body.items[0]?.id}`);
  expect(failure.body).toMatchObject({ code: "SF-101", message: "no", sentence: expect.any(String) });
  const codes = (await ask<List<{ code: string }>>("GET", "/error-codes")).body.items.map(({ code }) => code);
  expect(codes).toEqual([...errorCodes]);

  const log = await it.client(cookie).audit.list.query({ text: "key “a runer”" });
  expect(log.map(({ action, subject, outcome }) => [action, subject, outcome])).toEqual([
    ["runs.cancel", "Mail, run 2", "failed"],
    ["runs.cancel", "Mail, run 2", "done"],
    ["jobs.run", "Mail", "done"],
    ["jobs.run", "Mail", "failed"],
    ["jobs.run", "Mail", "done"],
  ]);
  expect(faults).toEqual([]);
});

test("a job is made, changed, paused and removed by a key that manages, as the console would", async () => {
  const { password, ...rest } = jobInput(hostId, "By program", ["data"]);
  const schedule = { kind: "daily", times: ["03:00"] };
  const wish = { name: rest.name, hostId, selection: { volumes: ["data"] }, schedule, destination: rest.destination };
  const made = await tell<JobView>("POST", "/jobs", { ...wish, password });
  expect(made).toMatchObject({ status: 201, body: { name: "By program", hasPassword: true, paused: false } });
  expect(made.body.nextRunAt).not.toBeNull();
  expect(made.headers.get("location")).toBe(`/api/v1/jobs/${made.body.id}`);
  const again = await tell<Problem>("POST", "/jobs", { ...wish, password });
  expect(again).toMatchObject({ status: 409, body: { errors: [{ field: "name", given: "By program" }] } });

  // A password that is left out stays.
  const changed = await tell<JobView>("PUT", `/jobs/${made.body.id}`, { ...wish, name: "Renamed", schedule: null });
  expect(changed).toMatchObject({ status: 200, body: { name: "Renamed", hasPassword: true, nextRunAt: null } });
  expect((await ask<JobView>("POST", "/jobs/Renamed/pause", keys.manage)).body.paused).toBe(true);
  expect((await problem("POST", "/jobs/Renamed/runs", keys.run)).status).toBe(409);
  expect((await ask<JobView>("POST", "/jobs/Renamed/continue", keys.manage)).body.paused).toBe(false);
  expect((await ask<JobView>("DELETE", "/jobs/Renamed", keys.manage)).body.id).toBe(made.body.id);
  expect((await problem("GET", `/jobs/${made.body.id}`)).status).toBe(404);

  const log = await it.client(cookie).audit.list.query({ text: "key “a manageer”" });
  expect(log.map(({ action, subject, outcome }) => [action, subject, outcome])).toEqual([
    ["jobs.remove", "Renamed", "done"],
    ["jobs.setPaused", "Renamed", "done"],
    ["jobs.setPaused", "Renamed", "done"],
    ["jobs.update", "Renamed", "done"],
    ["jobs.create", "By program", "failed"],
    ["jobs.create", "By program", "done"],
  ]);
  expect(log[3]).toMatchObject({ before: { name: "By program" }, after: { name: "Renamed" } });
  expect(JSON.stringify(log)).not.toContain(password);
  expect(faults).toEqual([]);
});

test("what runs programs as root is neither given nor changed by a key", async () => {
  const client = it.client(cookie);
  const command = { kind: "command", command: "true" } as const;
  const hook = { at: "preFreeze", command: "id" } as const;
  const { password: _, hooks: __, ...wish } = jobInput(hostId, "Commanded", ["mail"], { destination: command });
  expect(await tell("POST", "/jobs", wish)).toMatchObject({
    status: 403,
    body: { kind: "denied", errors: [{ field: "destination" }] },
  });
  const hooked = { ...wish, destination: { kind: "restic", repository: "/r" }, hooks: [hook] };
  expect(await tell("POST", "/jobs", hooked)).toMatchObject({ status: 400, body: { errors: [{ field: "hooks" }] } });
  const { id } = await client.jobs.create.mutate({ ...wish, hooks: [hook] });
  expect(await tell("PUT", `/jobs/${id}`, { ...wish, hooks: [] })).toMatchObject({ status: 400 });
  const other = { ...wish, destination: { ...command, command: "id" } };
  expect(await tell("PUT", `/jobs/${id}`, other)).toMatchObject({ status: 403, body: { kind: "denied" } });
  // With its command as it is, the rest may change.
  const renamed = await tell<JobView>("PUT", `/jobs/${id}`, { ...wish, name: "Still commanded" });
  expect(renamed).toMatchObject({
    status: 200,
    body: { name: "Still commanded", destination: command, hooks: [hook] },
  });
  await client.jobs.remove.mutate({ id });
  expect(faults).toEqual([]);
});

/** A job as a program sends it: hooks are no part of that. */
function sent(name: string, volumes: string[]) {
  const { hooks: _, ...job } = jobInput(hostId, name, volumes);
  return job;
}

test("a document that does not fit is told field by field, and one that is none as such", async () => {
  const bad = await tell<Problem>("POST", "/jobs", {
    ...sent("", []),
    destination: { kind: "restic", repository: "here" },
    password: "",
  });
  expect(bad.status).toBe(400);
  expect(bad.body.errors.map(({ field, given }) => [field, given])).toEqual([
    ["name", '""'],
    ["selection.volumes", "[]"],
    ["destination.repository", '"here"'],
    ["password", null],
  ]);
  const elsewhere = sent("Elsewhere", ["nothing"]);
  expect(await tell("POST", "/jobs", elsewhere)).toMatchObject({
    status: 400,
    body: { errors: [{ field: "selection.volumes", allowed: "There is no volume nothing on this host." }] },
  });
  const raw = (body: string, type = "application/json") =>
    ask<Problem>("POST", "/jobs", keys.manage, { body, headers: { "content-type": type } });
  expect((await raw("{")).status).toBe(400);
  expect((await raw("{}", "text/plain")).status).toBe(415);
  expect((await raw(`"${"x".repeat(300 * 1024)}"`)).status).toBe(413);
  expect((await tell("POST", "/jobs", elsewhere, keys.run)).status).toBe(403);
  expect((await problem("DELETE", "/jobs/Mail", keys.run)).status).toBe(403);
  expect(faults).toEqual([]);
});

test("a key does what its scopes say and no more", async () => {
  expect((await fetch(`${it.origin}/api/v1/jobs`)).status).toBe(401);
  expect((await fetch(`${it.origin}/api/v1/jobs`, { headers: { cookie } })).status).toBe(401);
  const started = await problem("POST", "/jobs/Mail/runs", keys.read);
  expect(started).toMatchObject({ status: 403, body: { kind: "denied", detail: expect.stringContaining("“Run”") } });
  expect(started.headers.get("www-authenticate")).toContain("insufficient_scope");
  expect((await problem("GET", "/jobs", keys.run)).status).toBe(403);
  expect((await problem("GET", "/runs", keys.metrics)).status).toBe(403);
  const [refused] = await it.client(cookie).audit.list.query({ text: "a reader" });
  expect(refused).toMatchObject({ action: "jobs.run", outcome: "refused" });
  // It is no way into what people use.
  const trpc = await fetch(`${it.origin}/api/trpc/jobs.list`, { headers: { authorization: `Bearer ${keys.read}` } });
  expect(trpc.status).toBe(401);
  expect(faults).toEqual([]);
});

test("an error names the field, what was given and what is allowed", async () => {
  const cases: [string, number, { field: string; given: string | null; allowed: string }[]][] = [
    ["/runs?limit=9000", 400, [{ field: "limit", given: "9000", allowed: "allowed is a whole number from 1 to 500" }]],
    ["/runs?limit=few", 400, [{ field: "limit", given: "few", allowed: "allowed is a whole number from 1 to 500" }]],
    [
      "/runs?limit=1&limit=2",
      400,
      [{ field: "limit", given: "1,2", allowed: "allowed is a whole number from 1 to 500" }],
    ],
    ["/runs?page=2", 400, [{ field: "page", given: "2", allowed: "parameters are job, before, limit" }]],
    ["/jobs?page=2", 400, [{ field: "page", given: "2", allowed: "there are no parameters here" }]],
    [
      "/failures?resolved=maybe",
      400,
      [{ field: "resolved", given: "maybe", allowed: "allowed is one of true, false" }],
    ],
    ["/runs/4711", 404, [{ field: "run", given: "4711", allowed: "allowed is a run's id or number" }]],
    ["/jobs/none", 404, [{ field: "job", given: "none", allowed: "allowed is a job's id or name" }]],
  ];
  for (const [path, status, errors] of cases) {
    expect(await problem("GET", path), path).toMatchObject({ status, body: { status, errors } });
  }
  const { body } = await problem("GET", "/runs?limit=9000&page=2");
  expect(body.errors.map(({ field }) => field).sort()).toEqual(["limit", "page"]);
  expect(body.detail).toContain("limit: “9000” was given; allowed is a whole number from 1 to 500");
  const elsewhere = await problem("GET", "/nothing");
  expect(elsewhere).toMatchObject({ status: 404, body: { kind: "notFound" } });
  const posted = await problem("POST", "/runs");
  expect(posted).toMatchObject({ status: 405, body: { kind: "invalid" } });
  expect(posted.headers.get("allow")).toBe("GET");
  expect((await problem("GET", "/jobs/%E0%A4%A")).status).toBe(400);
  expect(faults).toEqual([]);
});

test("a key that asks too often is told when to come back, and another one is not", async () => {
  const asked = () => fetch(`${it.origin}/api/v1/jobs/none`, { headers: { authorization: `Bearer ${keys.read}` } });
  let refused: Response | undefined;
  for (let batch = 0; batch < 60 && !refused; batch++) {
    const answers = await Promise.all(Array.from({ length: 50 }, asked));
    refused = answers.find(({ status }) => status === 429);
  }
  expect(Number(refused?.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(await refused?.json()).toMatchObject({ status: 429, kind: "busy" });
  const other = await fetch(`${it.origin}/metrics`, { headers: { authorization: `Bearer ${keys.metrics}` } });
  expect(other.status).toBe(200);
  await eventually(async () => (await asked()).status === 404);
});
