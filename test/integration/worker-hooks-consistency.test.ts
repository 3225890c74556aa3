/**
 * What hooks are for: an application with its data on two volumes. A snapshot of both at one instant is as after a power
 * cut, and may be torn between the two; with a hook that holds the application still it never is. Real databases.
 */
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BackgroundProgram } from "../fixtures/background-program";
import { Cleanup, cleanupAfterEach } from "../fixtures/cleanup";
import { WorkerUnderTest } from "../fixtures/worker-under-test";

const MIB = 1024 * 1024;
const whole = new Cleanup();
const cleanup = cleanupAfterEach();
const program = fileURLToPath(new URL("../fixtures/two-ledgers.mjs", import.meta.url));
let worker: WorkerUnderTest;
let between: string;

beforeAll(async () => {
  worker = await WorkerUnderTest.start(whole);
  for (const name of ["one", "two"]) await worker.host.host("practice.create", { name, sizeBytes: 64 * MIB });
  between = worker.path("between");
});
afterAll(() => whole.run());

const ledger = (name: string) => join(worker.mount(name), "ledger.db");
const copies = () => ["one", "two"].map((name) => worker.path(`${name}-ledger.db`));

function entries(path: string): number {
  const database = new Database(path);
  try {
    return database.prepare<[], { count: number }>("SELECT count(*) AS count FROM entry").get()?.count ?? 0;
  } finally {
    database.close();
  }
}

/** The application, writing until the test's end. Returns once it has written. */
async function writer(): Promise<BackgroundProgram> {
  const started = new BackgroundProgram(cleanup, process.execPath, [
    program,
    "write",
    ledger("one"),
    ledger("two"),
    between,
  ]);
  await expect.poll(() => existsSync(ledger("one")) && existsSync(ledger("two")), { timeout: 30_000 }).toBe(true);
  return started;
}

/** A run that copies both databases, with their journals, out of the frozen images. */
async function startCopy(held: boolean): Promise<string> {
  for (const copy of copies()) for (const end of ["", "-journal"]) rmSync(copy + end, { force: true });
  const command = ["one", "two"]
    .flatMap((name, i) =>
      ["", "-journal"].map((end) => `cp '${ledger(name)}${end}' '${copies()[i]}${end}' 2>/dev/null`),
    )
    .join("; ");
  return worker.startRun({
    volumes: ["one", "two"],
    command: `${command}; true`,
    hooks: held ? [{ at: "freezeHold", command: [process.execPath, program, "hold", ledger("one")] }] : [],
  });
}

async function ends(runId: string): Promise<number[]> {
  const ended = await worker.console.ended(runId);
  expect(ended.outcome, worker.console.story(runId)).toBe("succeeded");
  return copies().map(entries);
}

/** Until the application stands between its two writes. */
async function stopBetween(): Promise<void> {
  rmSync(`${between}.reached`, { force: true });
  writeFileSync(between, "");
  await expect.poll(() => existsSync(`${between}.reached`), { timeout: 30_000 }).toBe(true);
}

test("without a hook that holds it, an entry can stand in one database of the snapshot and not in the other", async () => {
  const application = await writer();
  await stopBetween();
  const [one = 0, two = 0] = await ends(await startCopy(false));
  expect(two).toBe(one + 1);
  rmSync(between);
  expect(application.running).toBe(true);
});

test("with one it waits for the application, and every entry stands in both", async () => {
  const application = await writer();
  await stopBetween();
  const runId = await startCopy(true);
  await worker.console.until(runId, (e) => e.type === "phase" && e.phase === "holding");
  expect(worker.console.eventsOf(runId).some((e) => e.type === "phase" && e.phase === "freezing")).toBe(false);
  rmSync(between);
  const [one, two] = await ends(runId);
  expect(one).toBe(two);
  for (let round = 0; round < 3; round += 1) {
    const [first, second] = await ends(await startCopy(true));
    expect(first).toBe(second);
  }
  // It goes on: nothing of the hold is left.
  const before = entries(ledger("one"));
  await expect.poll(() => entries(ledger("one")), { timeout: 30_000 }).toBeGreaterThan(before);
  expect(application.running).toBe(true);
});
