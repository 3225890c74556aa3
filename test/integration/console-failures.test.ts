/** Failures of one kind, acknowledged and settled, over the real API. The worker is a scripted peer. */
import { afterEach, beforeEach, expect, test } from "vitest";
import type { RunEvent } from "@/server/core/contracts/run";
import { ADMINISTRATOR, ConsoleUnderTest, eventually } from "../fixtures/console-under-test";
import { goingWell, jobInput, started, volume } from "../fixtures/link-documents";
import { ScriptedWorker } from "../fixtures/scripted-worker";

let it: ConsoleUnderTest;
let worker: ScriptedWorker;
let client: ReturnType<ConsoleUnderTest["client"]>;
let hostId: string;
let jobId: string;

beforeEach(async () => {
  it = new ConsoleUnderTest();
  await it.start();
  client = it.client(await it.signUp());
  worker = new ScriptedWorker();
  ({ hostId } = await worker.connect(it.origin, it.hostKey));
  worker.volumes([volume("data"), volume("db")]);
  await eventually(async () => (await client.volumes.list.query({})).length === 2);
  ({ id: jobId } = await client.jobs.create.mutate(jobInput(hostId, "Nightly", ["data", "db"])));
});
afterEach(async () => {
  worker.drop();
  await it.remove();
});

const failing = (...volumes: (string | null)[]): RunEvent[] => {
  const at = new Date().toISOString();
  return [
    ...volumes.map(
      (name): RunEvent => ({
        type: "failure",
        at,
        code: "SF-103",
        volume: name,
        message: "torn",
        evidence: { exitCode: 7 },
      }),
    ),
    { type: "ended", at, outcome: "failed", code: "SF-103" },
  ];
};

/** Runs the job to this end. */
async function run(...events: RunEvent[]): Promise<void> {
  const { runId } = await client.jobs.run.mutate({ id: jobId });
  worker.emit(runId, started("data", "db"), ...events);
  await eventually(() => worker.outbox.length === 0);
}
const groups = async (state: "attention" | "acknowledged" | "resolved" | "all" = "attention") =>
  (await client.failures.groups.query({ state })).items;
const attention = async () => (await client.failures.attention.query()).groups;

test("a failure that is acknowledged stays so when it happens again, and settles when the job succeeds", async () => {
  await run(...failing("data"));
  await run(...failing("data", "db"));
  expect((await groups()).map(({ newest, open, times }) => [newest.volume, open, times]).sort()).toEqual([
    ["data", 2, 2],
    ["db", 1, 1],
  ]);
  expect(await attention()).toBe(2);

  const data = (await groups()).find(({ newest }) => newest.volume === "data");
  const id = data?.newest.id ?? "";
  const acknowledged = await client.failures.acknowledge.mutate({ id, note: " a new disk is on its way " });
  expect(acknowledged.acknowledgement).toMatchObject({ by: ADMINISTRATOR.email, note: "a new disk is on its way" });
  await run(...failing("data"));
  expect(await attention()).toBe(1);
  expect(await groups("acknowledged")).toMatchObject([
    { open: 3, acknowledgement: { note: "a new disk is on its way" } },
  ]);
  expect((await client.overview.get.query()).failures).toHaveLength(1);

  // From any failure of the kind, also an older one.
  expect((await client.failures.takeBack.mutate({ id })).acknowledgement).toBeNull();
  expect(await attention()).toBe(2);
  await client.failures.acknowledge.mutate({ id });

  await run(...goingWell("data", "db"));
  expect(await attention()).toBe(0);
  expect(await groups("acknowledged")).toEqual([]);
  expect((await groups("resolved")).map(({ resolved }) => resolved)).toEqual([true, true]);
  await expect(client.failures.acknowledge.mutate({ id })).rejects.toThrow("resolved");

  // It begins anew: nobody has acknowledged this.
  await run(...failing("data"));
  expect(await groups()).toMatchObject([{ open: 1, times: 4, acknowledgement: null }]);
});

test("who acknowledged and who took it back stands in the audit log", async () => {
  await run(...failing(null));
  const id = (await groups())[0]?.newest.id ?? "";
  await client.failures.acknowledge.mutate({ id, note: "known" });
  await client.failures.takeBack.mutate({ id });
  const entries = (await client.audit.list.query({})).filter(({ action }) => action.startsWith("failures."));
  expect(entries).toMatchObject([
    { action: "failures.takeBack", subject: "SF-103 of Nightly", before: { acknowledgement: { note: "known" } } },
    { action: "failures.acknowledge", by: ADMINISTRATOR.email, after: { acknowledgement: { note: "known" } } },
  ]);
});

test("a viewer sees who acknowledged, and cannot do it", async () => {
  await run(...failing("data"));
  const viewer = it.client(await it.signUpAs("viewer", await it.signIn()));
  const [group] = (await viewer.failures.groups.query({})).items;
  await expect(viewer.failures.acknowledge.mutate({ id: group?.newest.id ?? "" })).rejects.toThrow("role operator");
});
