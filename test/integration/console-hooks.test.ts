/** Hooks of jobs over the real API: who sees, changes and runs them, and what their failures offer. The worker is a scripted peer. */
import { strFromU8, unzipSync } from "fflate";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Role } from "@/server/core/access/permissions";
import { type Hook, hookSchema } from "@/server/core/contracts/hooks";
import type { RunEvent } from "@/server/core/contracts/run";
import { ConsoleUnderTest, eventually } from "../fixtures/console-under-test";
import { jobInput, started, volume } from "../fixtures/link-documents";
import { ScriptedWorker } from "../fixtures/scripted-worker";

const SECRET = "mysqladmin -pviolet-walrus flush-tables";
const flush: Hook = hookSchema.parse({ at: "preFreeze", name: "flush", command: SECRET, timeoutMs: 5000 });
const end: Hook = hookSchema.parse({ at: "postRun", command: ["/usr/bin/logger", "--token-of-mine violet-walrus"] });

let it: ConsoleUnderTest;
let worker: ScriptedWorker;
let administrator: ReturnType<ConsoleUnderTest["client"]>;
let cookie: string;
let hostId: string;
let jobId: string;
let tried: unknown[];

beforeEach(async () => {
  it = new ConsoleUnderTest();
  await it.start();
  cookie = await it.signUp();
  administrator = it.client(cookie);
  worker = new ScriptedWorker();
  tried = [];
  worker.answers["hook.test"] = (trial: unknown) => {
    tried.push(trial);
    return { ok: false, message: 'the pre-freeze hook "flush" ended with exit code 1', tookMs: 3, lines: ["no"] };
  };
  ({ hostId } = await worker.connect(it.origin, it.hostKey));
  worker.volumes([volume("data")]);
  await eventually(async () => (await administrator.volumes.list.query({})).length === 1);
  const made = await administrator.jobs.create.mutate(jobInput(hostId, "Nightly", ["data"], { hooks: [flush, end] }));
  jobId = made.id;
});
afterEach(async () => {
  worker.drop();
  await it.remove();
});

const as = async (role: Role) => it.client(await it.signUpAs(role, cookie));

/** Runs the job until its hook fails; returns the failure's id. */
async function failed(): Promise<string> {
  const { runId } = await administrator.jobs.run.mutate({ id: jobId });
  const at = new Date().toISOString();
  const evidence = { hook: "flush", at: "preFreeze", cause: "exit", exitCode: 1, lines: ["no"], volumes: ["data"] };
  const failure: RunEvent = {
    type: "failure",
    at,
    code: "SF-104",
    volume: "data",
    message: "the hook failed",
    evidence,
  };
  worker.emit(runId, started("data"), failure, { type: "ended", at, outcome: "failed", code: "SF-104" });
  await eventually(() => worker.outbox.length === 0);
  worker.activeRuns = [];
  return (await administrator.failures.list.query())[0]?.id ?? "";
}

const lastSpec = () =>
  worker.received.findLast((m) => m.type === "request" && m.method === "run.start") as { params: { hooks: Hook[] } };

test("are kept with the job, shown where it is shown, and given to its runs", async () => {
  expect((await administrator.jobs.get.query({ id: jobId })).hooks).toEqual([flush, end]);
  const { hooks: _, ...without } = jobInput(hostId, "Plain", ["data"]);
  expect((await administrator.jobs.create.mutate(without)).hooks).toEqual([]);
  await administrator.jobs.run.mutate({ id: jobId });
  await eventually(() => lastSpec() !== undefined);
  expect(lastSpec().params.hooks).toEqual([flush, end]);
});

test("stay as they are when a program changes the job by its key, which can give none", async () => {
  const made = await administrator.apiKeys.create.mutate({ name: "manager", scopes: ["manage"], expiresInDays: null });
  const { password: _, hooks: __, ...plain } = jobInput(hostId, "Renamed", ["data"]);
  const put = (document: object) =>
    fetch(`${it.origin}/api/v1/jobs/${jobId}`, {
      method: "PUT",
      headers: { authorization: `Bearer ${made.key}`, "content-type": "application/json" },
      body: JSON.stringify(document),
    });
  expect((await put({ ...plain, hooks: [] })).status).toBe(400);
  expect((await put(plain)).status).toBe(200);
  expect(await administrator.jobs.get.query({ id: jobId })).toMatchObject({ name: "Renamed", hooks: [flush, end] });
});

test("an operator and a viewer see them and cannot change, make or try them", async () => {
  for (const role of ["operator", "viewer"] as const) {
    const { jobs } = await as(role);
    const job = await jobs.get.query({ id: jobId });
    expect(job.hooks).toEqual([flush, end]);
    const change = jobInput(hostId, "Nightly", ["data"], { hooks: [{ ...flush, command: "id" }] });
    await expect(jobs.update.mutate({ id: jobId, job: change })).rejects.toThrow("needs the role administrator");
    await expect(jobs.create.mutate({ ...change, name: "Mine" })).rejects.toThrow("needs the role administrator");
    const trial = { hostId, hook: flush, jobName: "Nightly", volumes: ["data"] };
    await expect(jobs.testHook.mutate(trial)).rejects.toThrow("needs the role administrator");
  }
  expect(tried).toEqual([]);
  expect((await administrator.jobs.get.query({ id: jobId })).hooks).toEqual([flush, end]);
});

test("an administrator tries one as it stands in the form, which the audit log tells", async () => {
  const trial = { hook: { ...flush, command: "id" }, jobName: "Nightly", volumes: ["data"] };
  expect(await administrator.jobs.testHook.mutate({ hostId, ...trial })).toMatchObject({ ok: false, lines: ["no"] });
  expect(tried).toEqual([trial]);
  const [entry] = await administrator.audit.list.query({});
  expect(entry).toMatchObject({ action: "jobs.testHook", subject: "Nightly" });
});

test("a failure's hook is run alone, as the job has it now, also by an operator; to change it is an administrator's", async () => {
  const id = await failed();
  const operator = await as("operator");
  const result = await operator.failures.act.mutate({ id, action: "testHook" });
  expect(result).toMatchObject({
    ok: false,
    message: 'It fails: the pre-freeze hook "flush" ended with exit code 1.',
    runId: null,
    lines: ["no"],
  });
  expect(tried).toEqual([{ hook: flush, jobName: "Nightly", volumes: ["data"] }]);
  await expect(operator.failures.act.mutate({ id, action: "hookWarns" })).rejects.toThrow("administrator");

  const { runId } = await administrator.failures.act.mutate({ id, action: "hookWarns" });
  expect(runId).not.toBeNull();
  const warned = { ...flush, onFailure: "warn" as const };
  expect((await administrator.jobs.get.query({ id: jobId })).hooks).toEqual([warned, end]);
  expect(lastSpec().params.hooks).toEqual([warned, end]);
});

test("a failure whose hook is gone says so", async () => {
  const id = await failed();
  await administrator.jobs.update.mutate({ id: jobId, job: jobInput(hostId, "Nightly", ["data"], { hooks: [end] }) });
  const acting = administrator.failures.act.mutate({ id, action: "testHook" });
  await expect(acting).rejects.toThrow("no hook “flush” any more");
});

test("their commands are in no diagnostics bundle", async () => {
  const { zip } = await administrator.failures.diagnostics.mutate({ id: await failed() });
  const files = Object.entries(unzipSync(Buffer.from(zip, "base64"))).map(([name, bytes]) => [name, strFromU8(bytes)]);
  expect(files.filter(([, text]) => text?.includes("walrus")).map(([name]) => name)).toEqual([]);
  expect(files.find(([name]) => name?.endsWith("console/jobs.json"))?.[1]).toContain('"flush"');
});

test("are not left out in silence: a worker that does not know them is given no run of a job that has some", async () => {
  worker.drop();
  await eventually(async () => !(await administrator.hosts.list.query())[0]?.connected);
  worker.supports = [];
  worker.version = "0.0.0";
  await worker.connect(it.origin, it.hostKey);
  await expect(administrator.jobs.run.mutate({ id: jobId })).rejects.toThrow(
    "(version 0.0.0) is too old for “Nightly”: it does not know hooks. Upgrade Stillframe there.",
  );
  expect(lastSpec()).toBeUndefined();
  expect(await administrator.runs.list.query({})).toEqual([]);
  const plain = await administrator.jobs.create.mutate(jobInput(hostId, "Plain", ["data"]));
  await administrator.jobs.run.mutate({ id: plain.id });
  await eventually(() => lastSpec() !== undefined);
});
