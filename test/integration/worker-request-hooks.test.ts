import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { BackgroundProgram } from "../fixtures/background-program";
import { Cleanup, cleanupAfterEach } from "../fixtures/cleanup";
import { commandLine, runCommandLine } from "../fixtures/command-line";
import { processesWith } from "../fixtures/processes-with";
import { Trace } from "../fixtures/trace";
import { WorkerUnderTest } from "../fixtures/worker-under-test";

const MIB = 1024 * 1024;
const whole = new Cleanup();
const cleanup = cleanupAfterEach();
let worker: WorkerUnderTest;
let trace: Trace;

beforeAll(async () => {
  worker = await WorkerUnderTest.start(whole);
  for (const name of ["one", "two"]) await worker.host.host("practice.create", { name, sizeBytes: 64 * MIB });
  trace = new Trace(worker.path("trace"));
});
afterAll(() => whole.run());
beforeEach(() => trace.clear());

const writes = (word: string) => trace.writes(word);
const words = () => trace.lines;
const told = "$STILLFRAME_PHASE of $(echo $STILLFRAME_VOLUMES) $STILLFRAME_OUTCOME";
/** One of each, that write down when they ran and what they were told. */
const hooks = (): string[] => [
  ...["--pre-freeze", `echo flushed; ${writes(told)}`],
  ...["--freeze-hold", `${writes(told)}; echo READY; cat; ${writes("let go")}`],
  ...["--post-snapshot", writes(told)],
];
const quick = ["--min-quiet", "0"];
const stillframe = (...args: string[]) => runCommandLine(worker, args);
function background(...args: string[]): BackgroundProgram {
  const [program, rest] = commandLine(worker, args);
  return new BackgroundProgram(cleanup, program, rest);
}

/** An `exec` with one of each hook and one more, which holds for longer than any test; it has begun to. */
async function execThatHolds(): Promise<BackgroundProgram> {
  const slow = ["--freeze-hold", `${writes("holding")}; sleep 600`];
  const command = ["--", "sh", "-c", writes("command")];
  const exec = background("exec", "--volume", "one", ...quick, ...hooks(), ...slow, ...command);
  await expect.poll(words, { timeout: 30_000 }).toContain("holding");
  return exec;
}

async function nothingLeft(): Promise<void> {
  await expect.poll(() => worker.leftovers(), { timeout: 30_000 }).toEqual([]);
  await expect.poll(() => processesWith(worker.directory), { timeout: 30_000 }).toEqual([]);
}

describe("exec", () => {
  test("runs them around the freeze and its command after them, and says what they said", async () => {
    const both = ["--volume", "one", "--volume", "two"];
    const { exitCode, stderr } = await stillframe(
      "exec",
      ...both,
      ...quick,
      ...hooks(),
      "--",
      "sh",
      "-c",
      writes("command"),
    );
    expect(exitCode, stderr).toBe(0);
    expect(words()).toEqual([
      ...["pre-freeze of one two ", "freeze-hold of one two ", "let go", "post-snapshot of one two taken", "command"],
    ]);
    expect(stderr).toContain("stillframe: pre-freeze hook: flushed\n");
    expect(stderr).toMatch(/stillframe: the freeze-hold hook let go, held for \d/);
    await nothingLeft();
  });

  test("runs no command when one failed before the instant, and settles with the applications", async () => {
    const failing = ["--freeze-hold", "echo no lock for you; exit 3"];
    const { exitCode, stderr } = await stillframe(
      ...["exec", "--volume", "one", ...quick, ...hooks(), ...failing, "--", "sh", "-c", writes("command")],
    );
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/SF-104/);
    expect(stderr).toMatch(/ended with exit code 3 .*without having said READY: no lock for you/);
    expect(words()).toEqual(["pre-freeze of one ", "freeze-hold of one ", "let go", "post-snapshot of one failed"]);
    await nothingLeft();
  });

  test("interrupted while an application is held lets it go, and settles", async () => {
    const exec = await execThatHolds();
    process.kill(exec.pid, "SIGINT");
    expect((await exec.ended).exitCode).toBe(130);
    await expect.poll(words, { timeout: 30_000 }).toContain("post-snapshot of one cancelled");
    expect(words()).toEqual([
      "pre-freeze of one ",
      "freeze-hold of one ",
      "holding",
      "let go",
      "post-snapshot of one cancelled",
    ]);
    await nothingLeft();
  });

  test("has what a killed worker owed run by its successor", async () => {
    const exec = await execThatHolds();
    await worker.kill();
    expect((await exec.ended).exitCode).toBe(1);
    await worker.up();
    expect(words()).toContain("let go");
    expect(words().at(-1)).toBe("post-snapshot of one interrupted");
    expect(words()).not.toContain("command");
    await nothingLeft();
  });
});

describe("snapshot create", () => {
  test("runs them for each volume's snapshot one at a time", async () => {
    const { exitCode, stdout, stderr } = await stillframe(
      ...["snapshot", "create", "one", "two", "--one-at-a-time", "--json", ...quick, ...hooks()],
    );
    expect(exitCode, stderr).toBe(0);
    const around = (name: string) => [
      ...[`pre-freeze of ${name} `, `freeze-hold of ${name} `, "let go", `post-snapshot of ${name} taken`],
    ];
    expect(words()).toEqual([...around("one"), ...around("two")]);
    const { snapshots } = JSON.parse(stdout) as { snapshots: { id: string }[] };
    expect(snapshots).toHaveLength(2);
    expect((await stillframe("snapshot", "release", ...snapshots.map(({ id }) => id))).exitCode).toBe(0);
    await nothingLeft();
  });

  test("keeps no snapshot when one failed", async () => {
    const { exitCode, stderr } = await stillframe(
      ...["snapshot", "create", "one", "--pre-freeze", "exit 4", "--post-snapshot", writes(told), ...quick],
    );
    expect(exitCode, stderr).toBe(1);
    expect(words()).toEqual(["post-snapshot of one failed"]);
    expect(await worker.host.host("snapshot.list", {})).toEqual([]);
    await nothingLeft();
  });

  test("only warns where that is asked for", async () => {
    const { exitCode, stdout, stderr } = await stillframe(
      ...["snapshot", "create", "one", "--json", "--pre-freeze", "exit 4", "--hook-failure", "warn", ...quick],
    );
    expect(exitCode, stderr).toBe(0);
    expect(stderr).toMatch(/ended with exit code 4 .*; the snapshot is taken all the same/);
    const { snapshots } = JSON.parse(stdout) as { snapshots: { id: string }[] };
    await worker.host.host("snapshot.release", { id: snapshots[0]?.id ?? "" });
  });
});
