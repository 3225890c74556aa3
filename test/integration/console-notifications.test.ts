/** Notifications over the real API, to real receivers on the loopback; the worker is a scripted peer. */
import { createHmac, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import Sqlite from "better-sqlite3";
import { beforeEach, expect, test } from "vitest";
import type { ChannelInput, Severity, Target } from "@/server/core/contracts/notifications";
import type { RunEvent } from "@/server/core/contracts/run";
import { signingSecretOf } from "@/server/core/notifications/target";
import { cleanupAfterEach } from "../fixtures/cleanup";
import { ConsoleUnderTest, eventually } from "../fixtures/console-under-test";
import { goingWell, jobInput, started, volume } from "../fixtures/link-documents";
import { HttpReceiver, MailReceiver, type Posted } from "../fixtures/notification-receivers";
import { ScriptedWorker } from "../fixtures/scripted-worker";

const cleanup = cleanupAfterEach();
let it: ConsoleUnderTest;
let client: ReturnType<ConsoleUnderTest["client"]>;
let worker: ScriptedWorker;
let hostId: string;

beforeEach(async () => {
  it = new ConsoleUnderTest();
  cleanup.add("remove the console", () => it.remove());
  await it.start();
  client = it.client(await it.signUp());
  worker = new ScriptedWorker();
  cleanup.add("drop the worker", () => worker.drop());
  await connect();
});

async function connect(): Promise<void> {
  ({ hostId } = await worker.connect(it.origin, it.hostKey));
  worker.volumes([volume("data"), volume("db")]);
  await eventually(async () => (await client.volumes.list.query({})).length === 2);
}

const makeJob = async (name: string, volumeName = "data") =>
  (await client.jobs.create.mutate(jobInput(hostId, name, [volumeName]))).id;

type End = "well" | "badly" | "unreachable";

/** Runs the job on its volume to this end, which is stored when this returns. */
async function run(jobId: string, end: End, volumeName = "data"): Promise<string> {
  const { runId } = await client.jobs.run.mutate({ id: jobId });
  const at = new Date().toISOString();
  const code = end === "badly" ? "SF-103" : "OFO-COMM";
  const bad: RunEvent[] = [
    { type: "failure", at, code, volume: volumeName, message: "it failed", evidence: {} },
    { type: "ended", at, outcome: "failed", code },
  ];
  worker.emit(runId, started(volumeName), ...(end === "well" ? goingWell(volumeName) : bad));
  await eventually(() => worker.outbox.length === 0);
  return runId;
}

function makeChannel(target: Target, more: Partial<ChannelInput> = {}): Promise<{ id: string }> {
  const tells: Severity[] = ["failed", "warning", "recovered"];
  return client.notifications.create.mutate({
    name: target.kind,
    enabled: true,
    target,
    tells,
    jobIds: null,
    quietMinutes: 0,
    ...more,
  });
}

/** Receivers, back-off and a restart between them: as long as it takes, up to a minute. */
const soon = <T>(condition: () => T | Promise<T>) => eventually(condition, 60_000);
const deliveries = () => client.notifications.deliveries.query({});
const channel = async (id: string) => (await client.notifications.list.query()).find((one) => one.id === id);
/** The titles of what arrived, once there are so many. */
async function titles(receiver: HttpReceiver, count: number): Promise<string[]> {
  await soon(() => receiver.received.length >= count);
  return receiver.received.map(({ body }) => JSON.parse(body).data.title);
}

/** As a receiver checks it, without the console's code. */
function isSigned({ headers, body }: Posted, secret: string): boolean {
  const key = Buffer.from(secret.replace("whsec_", ""), "base64");
  const content = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
  return headers["webhook-signature"] === `v1,${createHmac("sha256", key).update(content).digest("base64")}`;
}

test("a webhook that fails is tried again over a killed console, signed each time, until it is taken", async () => {
  const receiver = await HttpReceiver.start(cleanup);
  const secret = signingSecretOf(randomBytes(32));
  const { id } = await makeChannel({ kind: "webhook", url: `${receiver.url}/hook` }, { secret });
  const jobId = await makeJob("Nightly");
  worker.drop();
  await it.stop();
  await it.startProcess();
  await connect();

  receiver.replies.push(
    { status: 503, body: "come back later" },
    { status: 500, body: "still broken", retryAfterSeconds: 3600 },
  );
  const runId = await run(jobId, "badly");
  await soon(() => receiver.received.length >= 1);
  worker.drop();
  await it.kill();
  await it.start();
  // The second attempt comes by itself.
  const broken = "HTTP 500 Internal Server Error: still broken";
  const tried = await soon(async () => (await deliveries()).find(({ error }) => error === broken));
  expect(tried).toMatchObject({ state: "waiting", deliveredAt: null });
  await client.notifications.retry.mutate({ id: tried.id });
  await soon(async () => (await deliveries())[0]?.state === "delivered");
  await expect(client.notifications.retry.mutate({ id: tried.id })).rejects.toThrow("delivered already");

  expect(receiver.received).toHaveLength(3);
  expect(receiver.received.map((posted) => isSigned(posted, secret))).toEqual([true, true, true]);
  expect(new Set(receiver.received.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
  const [first] = receiver.received.map(({ body }) => JSON.parse(body));
  expect(first).toMatchObject({
    type: "run.failed",
    data: {
      job: { id: jobId, name: "Nightly" },
      run: { id: runId, number: 1, state: "failed" },
      code: "SF-103",
      link: `${it.origin}/runs/${runId}`,
    },
  });
  expect(first.data.title).toMatch(/^“Nightly” failed on /);
  expect(await channel(id)).toMatchObject({
    waiting: 0,
    lastDelivered: { answer: "HTTP 200 OK: ok" },
    lastError: { error: expect.stringContaining("still broken") },
  });
});

test("mail goes to all recipients; the test button shows the server's own answer", async () => {
  const user = { name: "stillframe", password: "the mail password" };
  const receiver = await MailReceiver.start(cleanup, user);
  const target: Target = {
    kind: "email",
    host: "127.0.0.1",
    port: receiver.port,
    security: "none",
    user: user.name,
    from: "backup@example.net",
    to: ["ops@example.net", "boss@example.net"],
  };
  const { id } = await makeChannel(target, { secret: "wrong" });
  const wrong = await client.notifications.test.mutate({ id });
  expect(wrong).toEqual({ ok: false, answer: expect.stringMatching(/^535 .*Invalid username or password/) });
  const channelNow = await channel(id);
  expect(channelNow).toMatchObject({ hasSecret: true, lastError: { error: wrong.answer }, lastDelivered: null });

  const { name, enabled, tells, jobIds, quietMinutes } = channelNow ?? expect.fail();
  const settings = { name, enabled, tells, jobIds, quietMinutes, target };
  await client.notifications.update.mutate({ id, channel: { ...settings, secret: user.password } });
  expect(await client.notifications.test.mutate({ id })).toEqual({ ok: true, answer: "250 taken" });
  expect(receiver.received[0]).toMatchObject({ from: "backup@example.net", to: target.to, user: user.name });
  expect(receiver.received[0]?.text).toContain("Subject: Test message from Stillframe");

  // A server that does not encrypt gets neither password nor mail from a channel that wants it.
  const strict = { name: "strict", enabled: false, secret: user.password };
  const wary = await makeChannel({ ...target, security: "starttls" }, strict);
  const plain = await client.notifications.test.mutate({ id: wary.id });
  expect(plain).toEqual({ ok: false, answer: expect.stringMatching(/STARTTLS|not recognized|not implemented/i) });
  expect(receiver.signIns).toBe(2);

  receiver.refusals.push("mailbox is full, try later");
  await run(await makeJob("Nightly"), "badly");
  // The next attempt comes by itself.
  await soon(() => receiver.received.length === 2);
  const arrived = await soon(async () =>
    (await deliveries()).find(({ severity, state }) => severity && state === "delivered"),
  );
  expect(arrived).toMatchObject({ attempts: 2, error: "451 mailbox is full, try later", answer: "250 taken" });
  expect(receiver.received[1]?.text).toContain("SF-103");
});

test("ntfy and Slack-compatible receivers get their own form, and a receiver's refusal is shown", async () => {
  const receiver = await HttpReceiver.start(cleanup);
  const ntfy = await makeChannel({ kind: "ntfy", server: receiver.url, topic: "backups" }, { secret: "tk_access" });
  const address = `${receiver.url}/services/T000/B000/hidden`;
  const slack = await makeChannel({ kind: "slack" }, { secret: address });
  await run(await makeJob("a <b> & c"), "badly");
  await soon(() => receiver.received.length === 2);
  const [published, posted] = ["/", "/services/T000/B000/hidden"].map((path) =>
    receiver.received.find((one) => one.path === path),
  );
  expect(published?.headers.authorization).toBe("Bearer tk_access");
  expect(JSON.parse(published?.body ?? "")).toMatchObject({ topic: "backups", priority: 4, tags: ["rotating_light"] });
  expect(JSON.parse(posted?.body ?? "").attachments).toMatchObject([
    { title: expect.stringContaining("“a &lt;b&gt; &amp; c” failed"), color: "#c2362b" },
  ]);

  receiver.replies.push({ status: 403, body: "forbidden for tk_access" }, { status: 302, body: "" });
  expect(await client.notifications.test.mutate({ id: ntfy.id })).toEqual({
    ok: false,
    answer: "HTTP 403 Forbidden: forbidden for (secret)",
  });
  expect(await client.notifications.test.mutate({ id: slack.id })).toEqual({ ok: false, answer: "HTTP 302 Found" });
});

test("a failure that goes on is told once, its count with the recovery or when the time is over", async () => {
  const receiver = await HttpReceiver.start(cleanup);
  const secret = signingSecretOf(randomBytes(32));
  await makeChannel({ kind: "webhook", url: receiver.url }, { secret, quietMinutes: 60 });
  const jobId = await makeJob("Nightly");
  await run(jobId, "badly");
  await run(jobId, "badly");
  await run(jobId, "badly");
  await run(jobId, "unreachable");
  await run(jobId, "well");
  await run(jobId, "well");
  const [failed, other, recovered] = await titles(receiver, 3);
  expect([failed, other, recovered]).toEqual([
    expect.stringContaining("failed on"),
    expect.stringContaining("failed on"),
    expect.stringContaining("succeeded again on"),
  ]);
  expect(JSON.parse(receiver.received[2]?.body ?? "").data).toMatchObject({ untold: 2 });

  await run(jobId, "badly");
  await run(jobId, "badly");
  const last = await run(jobId, "badly");
  await titles(receiver, 4);
  worker.drop();
  await it.stop();
  const db = new Sqlite(it.databaseFile);
  try {
    const changed = db.prepare("UPDATE NotificationQuiet SET until = '2020-01-01T00:00:00.000+00:00'").run();
    expect(changed.changes).toBe(1);
  } finally {
    db.close();
  }
  await it.start();
  const all = await titles(receiver, 5);
  expect(all[4]).toContain("“Nightly” failed 2 times more on");
  expect(JSON.parse(receiver.received[4]?.body ?? "").data).toMatchObject({ untold: 2, run: { id: last } });
  expect(receiver.received).toHaveLength(5);
});

test("each channel hears of its own jobs and severities; a receiver that never answers holds up nothing", async () => {
  const [silent, busy] = [await HttpReceiver.start(cleanup), await HttpReceiver.start(cleanup)];
  silent.silent = true;
  const [nightly, hourly] = [await makeJob("Nightly"), await makeJob("Hourly", "db")];
  const secret = signingSecretOf(randomBytes(32));
  await makeChannel({ kind: "webhook", url: silent.url }, { name: "silent", secret });
  const told: Partial<ChannelInput> = { name: "busy", secret, jobIds: [hourly], tells: ["succeeded"] };
  await makeChannel({ kind: "webhook", url: busy.url }, told);
  await run(nightly, "badly");
  await soon(() => silent.received.length === 1);
  await run(nightly, "well");
  await run(hourly, "badly", "db");
  await run(hourly, "well", "db");
  await run(hourly, "well", "db");
  expect(await titles(busy, 2)).toEqual([
    expect.stringContaining("“Hourly” succeeded again"),
    expect.stringContaining("“Hourly” succeeded on"),
  ]);
  // The attempt that the console's end interrupted is made again, and nothing of it was lost.
  await it.stop();
  silent.silent = false;
  await it.start();
  await soon(async () => (await deliveries()).filter(({ state }) => state === "delivered").length === 6);
  const ids = silent.received.map(({ headers }) => headers["webhook-id"]);
  expect(new Set(ids).size).toBe(4);
  expect(ids.filter((id) => id === ids[0]).length).toBeGreaterThan(1);
});

test("secrets are sealed and never told; they are not sent to another server than they were entered for", async () => {
  const receiver = await HttpReceiver.start(cleanup);
  const secret = "tk_not_for_everyone";
  const target = { kind: "ntfy", server: receiver.url, topic: "backups" } as const;
  const { id } = await makeChannel(target, { secret });
  const settings = { name: "moved", enabled: true, tells: ["failed" as const], jobIds: null, quietMinutes: 0 };
  const update = (change: object) =>
    client.notifications.update.mutate({ id, channel: { ...settings, target, ...change } });
  await update({});
  await expect(update({ target: { ...target, server: "http://127.0.0.1:9" } })).rejects.toThrow("enter it again");
  await expect(update({ target: { kind: "slack" } })).rejects.toThrow("keeps its kind");
  await expect(makeChannel({ kind: "webhook", url: receiver.url }, { secret: "short" })).rejects.toThrow("whsec_");
  await expect(makeChannel({ kind: "slack" })).rejects.toThrow("it is needed here");
  const told = JSON.stringify([await client.notifications.list.query(), await client.audit.list.query({ limit: 100 })]);
  expect(told).toContain('"hasSecret":true');
  expect(told).not.toContain(secret);
  const [changed] = await client.audit.list.query({ action: "notifications.update" });
  expect(changed).toMatchObject({ subject: "moved", outcome: "failed" });
  const stored = ["", "-wal"].map((end) => readFileSync(it.databaseFile + end).toString("latin1")).join("");
  expect(stored).toContain(receiver.url);
  expect(stored).not.toContain(secret);

  await update({ enabled: false, secret: null });
  expect(await channel(id)).toMatchObject({ enabled: false, hasSecret: false, name: "moved" });
  await client.notifications.remove.mutate({ id });
  expect(await client.notifications.list.query()).toEqual([]);
});

test("everybody sees which channels tell of a job; one whose last message did not arrive is a sign on the overview", async () => {
  const receiver = await HttpReceiver.start(cleanup);
  const [nightly, other] = [await makeJob("Nightly"), await makeJob("Other", "db")];
  const target = { kind: "webhook", url: `${receiver.url}/hook` } as const;
  const secret = signingSecretOf(randomBytes(32));
  const { id } = await makeChannel(target, { name: "All", secret });
  await makeChannel(target, { name: "Nightly only", tells: ["succeeded"], jobIds: [nightly], secret });
  await makeChannel(target, { name: "Off", enabled: false, secret });
  const viewer = it.client(await it.signUpAs("viewer", await it.signIn()));
  const ofJob = async (jobId: string | null) =>
    (await viewer.notifications.ofJob.query({ jobId })).map(({ name, failing }) => [name, failing]);
  expect(await ofJob(nightly)).toEqual([
    ["All", false],
    ["Nightly only", false],
  ]);
  expect(await ofJob(other)).toEqual([["All", false]]);
  expect(await ofJob(null)).toEqual([["All", false]]);
  expect((await viewer.overview.get.query()).silentChannels).toEqual([]);

  receiver.replies.push({ status: 500, body: "no" });
  await client.notifications.test.mutate({ id });
  expect(await ofJob(null)).toEqual([["All", true]]);
  expect((await viewer.overview.get.query()).silentChannels).toEqual(["All"]);
  // The answer of the receiver is not for them.
  expect(JSON.stringify(await viewer.notifications.ofJob.query({ jobId: nightly }))).not.toContain(receiver.url);

  await client.notifications.test.mutate({ id });
  await soon(async () => (await viewer.overview.get.query()).silentChannels.length === 0);
});
