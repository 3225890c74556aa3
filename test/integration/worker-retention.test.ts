/** Old backups are removed after a run: a real worker, volume and restic repository. */
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { mustRun } from "@/server/worker/programs/run-program";
import { BackgroundProgram } from "../fixtures/background-program";
import { Cleanup } from "../fixtures/cleanup";
import { type RunWish, WorkerUnderTest } from "../fixtures/worker-under-test";

const MIB = 1024 * 1024;
const whole = new Cleanup();
let worker: WorkerUnderTest;
let passwordFile: string;

beforeAll(async () => {
  worker = await WorkerUnderTest.start(whole);
  await worker.host.host("practice.create", { name: "alpha", sizeBytes: 64 * MIB });
  passwordFile = worker.path("password");
  writeFileSync(passwordFile, worker.password, { mode: 0o600 });
  writeFileSync(join(worker.mount("alpha"), "letter"), "dear reader");
});
afterAll(() => whole.run());

const restic = (...args: string[]): Promise<string> =>
  mustRun("restic", ["--repo", worker.repository, "--password-file", passwordFile, ...args]);
/** By the run that made each, the oldest first. */
const inRepository = async (): Promise<string[]> => {
  const snapshots: { tags?: string[] }[] = JSON.parse(await restic("snapshots", "--json"));
  const mark = "stillframe-run=";
  return snapshots.map(({ tags = [] }) => tags.find((tag) => tag.startsWith(mark))?.slice(mark.length) ?? "a person's");
};
const runTo = async (outcome: string, wish: Partial<RunWish> = {}): Promise<string> => {
  const runId = await worker.startRun({ volumes: ["alpha"], ...wish });
  expect((await worker.console.ended(runId)).outcome, worker.console.story(runId)).toBe(outcome);
  return runId;
};
const said = (runId: string) =>
  worker.console.eventsOf(runId).flatMap((event) => (event.type === "log" ? [event.text] : []));

test("only this job's own old backups go, after a run that succeeded, and the log names them", async () => {
  const others = await runTo("succeeded", { jobId: "another job" });
  const first = await runTo("succeeded");
  await restic("backup", "--quiet", passwordFile);
  await runTo("failed", { paths: [join(worker.mount("alpha"), "gone")], retention: { last: 1 } });
  expect(await inRepository()).toEqual([others, first, "a person's"]);

  // Another program has the repository, and is killed: what it leaves must not be in the way for ever.
  const args = ["--repo", worker.repository, "--password-file", passwordFile, "backup", "--stdin", "--quiet"];
  const script = 'tail -f /dev/null | exec restic "$@"';
  const other = new BackgroundProgram(whole, "/bin/sh", ["-c", script, "another-backup", ...args]);
  await expect.poll(() => readdirSync(join(worker.repository, "locks")), { timeout: 60_000 }).toHaveLength(1);
  const second = await worker.startRun({ volumes: ["alpha"], retention: { last: 1, prune: true } });
  await worker.console.until(
    second,
    (event) => event.type === "log" && event.text.includes("another program is using"),
  );
  await other.stop();
  expect((await worker.console.ended(second)).outcome, worker.console.story(second)).toBe("succeeded");
  expect(await inRepository()).toEqual([others, "a person's", second]);
  expect(said(second)).toContainEqual(
    expect.stringMatching(/^alpha: 1 backup kept, 1 backup removed: [0-9a-f]{8} of \d/),
  );
  await expect.poll(() => worker.leftovers(), { timeout: 10_000 }).toEqual([]);
});
