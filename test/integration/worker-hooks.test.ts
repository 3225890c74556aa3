/**
 * Hooks of a job with the real worker, engine and file systems: when they run, what they are told, and that nothing of
 * them remains whatever they do.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RunEvent } from "@/server/core/contracts/run";
import { Cleanup } from "../fixtures/cleanup";
import { processesWith } from "../fixtures/processes-with";
import { Trace } from "../fixtures/trace";
import { type RunWish, WorkerUnderTest } from "../fixtures/worker-under-test";

const MIB = 1024 * 1024;
const whole = new Cleanup();
let worker: WorkerUnderTest;
let trace: Trace;

beforeAll(async () => {
  worker = await WorkerUnderTest.start(whole);
  for (const name of ["one", "two"]) await worker.host.host("practice.create", { name, sizeBytes: 64 * MIB });
  trace = new Trace(worker.path("trace"));
});
afterAll(() => whole.run());

const both = ["one", "two"];
/** Writes a word down, as all hooks of these tests do: one file, in the order in which they ran. */
const writes = (word: string) => trace.writes(word);
/** Holds as it should, until its input ends. */
const holds = (word: string) => `${writes(`${word} ready`)}; echo READY; cat; ${writes(`${word} let go`)}`;

async function run(wish: RunWish): Promise<{ runId: string; ended: RunEvent & { type: "ended" }; words: string[] }> {
  trace.clear();
  const runId = await worker.startRun({ command: writes("backup"), ...wish });
  const ended = await worker.console.ended(runId);
  return { runId, ended, words: traced() };
}
const trial = (hook: NonNullable<RunWish["hooks"]>[number]) =>
  worker.host.host("hook.test", { hook, jobName: "Test", volumes: both });
const traced = () => trace.lines;
const failureOf = (runId: string) => worker.console.eventsOf(runId).find((e) => e.type === "failure");
const logOf = (runId: string) => worker.console.eventsOf(runId).flatMap((e) => (e.type === "log" ? [e.text] : []));
const phasesOf = (runId: string) =>
  worker.console.eventsOf(runId).flatMap((e) => (e.type === "phase" ? [e.phase] : []));

async function nothingLeft(): Promise<void> {
  await expect.poll(() => worker.leftovers(), { timeout: 10_000 }).toEqual([]);
  await expect.poll(() => processesWith(worker.directory), { timeout: 10_000 }).toEqual([]);
}

describe("hooks of a run", () => {
  test("come in their order around the snapshot, in phases of their own, and say how they went", async () => {
    const { runId, ended, words } = await run({
      volumes: both,
      hooks: [
        { at: "postRun", command: writes("end $STILLFRAME_OUTCOME") },
        { at: "freezeHold", name: "outer", command: holds("outer") },
        { at: "freezeHold", name: "inner", command: holds("inner") },
        { at: "preFreeze", name: "flush", command: `echo to the log; ${writes("flush")}` },
        { at: "postSnapshot", command: writes("snapshot $STILLFRAME_OUTCOME") },
      ],
    });
    expect(ended, worker.console.story(runId)).toMatchObject({ outcome: "succeeded", code: null });
    expect(words).toEqual([
      "flush",
      "outer ready",
      "inner ready",
      "inner let go",
      "outer let go",
      "snapshot taken",
      "backup",
      "end succeeded",
    ]);
    expect(phasesOf(runId)).toEqual([
      ...["reserving", "preparing", "holding", "freezing", "snapshotted", "backingUp", "releasing", "done"],
    ]);
    expect(logOf(runId)).toContain("flush: to the log");
    expect(logOf(runId)).toContainEqual(expect.stringMatching(/^the pre-freeze hook "flush" ended well after \d/));
    expect(logOf(runId)).toContainEqual(expect.stringMatching(/^the freeze-hold hook "inner" let go, held for \d/));
    await nothingLeft();
  });

  test("run once for each volume's snapshot one at a time, and are told whose it is", async () => {
    const told = writes("$STILLFRAME_PHASE of $STILLFRAME_VOLUMES");
    const { ended, words } = await run({
      volumes: both,
      mode: "oneAtATime",
      hooks: [
        { at: "preFreeze", command: told },
        { at: "freezeHold", command: `${told}; echo READY; cat` },
        { at: "postSnapshot", command: told },
        { at: "postRun", command: `${writes("$STILLFRAME_PHASE of")}; echo "$STILLFRAME_VOLUMES" >> '${trace.path}'` },
      ],
    });
    expect(ended.outcome).toBe("succeeded");
    const around = (name: string) => ["pre-freeze", "freeze-hold", "post-snapshot"].map((at) => `${at} of ${name}`);
    expect(words).toEqual([...around("one"), "backup", ...around("two"), "backup", "post-run of", "one", "two"]);
  });

  test("get what they need in their environment and nothing of the worker's, no terminal, and are no part of a volume", async () => {
    const out = worker.path("environment");
    const { runId } = await run({
      volumes: ["one"],
      hooks: [{ at: "preFreeze", command: `env > '${out}'; pwd >> '${out}'; cat >> '${out}'; tty >> '${out}'; true` }],
    });
    const text = readFileSync(out, "utf8");
    expect(text).toContain(`STILLFRAME_RUN_ID=${runId}\n`);
    expect(text).toContain("STILLFRAME_JOB=Test\n");
    expect(text).toContain("STILLFRAME_MODE=all-at-once\n");
    expect(text).toContain(`STILLFRAME_MOUNTS=${worker.mount("one")}\n`);
    expect(text).toMatch(/^\/$/m);
    expect(text).toMatch(/not a tty/);
    const names = [...text.matchAll(/^(\w+)=/gm)].map(([, name]) => name);
    expect(names).not.toContain("STILLFRAME_HOME");
    expect(names.filter((name) => /KEY|SECRET|TOKEN|PASSWORD|npm_|NODE/i.test(name ?? ""))).toEqual([]);
    expect(text).not.toContain(worker.password);
  });

  test("may be programs with spaces and letters of any language in their names and arguments, which no shell touches", async () => {
    const directory = worker.path("mit Leerzeichen");
    mkdirSync(directory);
    const program = join(directory, "spülen & halten.sh");
    writeFileSync(program, `#!/bin/sh\nprintf '%s|' "$@" >> '${trace.path}'\n`);
    chmodSync(program, 0o755);
    const args = ["a b", "$HOME", "*", "ключ", ""];
    const { ended, words } = await run({ volumes: ["one"], hooks: [{ at: "preFreeze", command: [program, ...args] }] });
    expect(ended.outcome).toBe("succeeded");
    expect(words[0]).toBe("a b|$HOME|*|ключ||backup");
  });

  test("around the snapshot do not run where everything is read live, which the log says; the one at the end does", async () => {
    const { runId, ended, words } = await run({
      volumes: ["one"],
      openFile: { enabled: false },
      hooks: [
        { at: "preFreeze", command: "exit 1" },
        { at: "postRun", command: writes("end") },
      ],
    });
    expect(ended.outcome).toBe("succeeded");
    expect(words).toEqual(["backup", "end"]);
    expect(logOf(runId)).toContain("no snapshot is taken, so the hooks around it do not run");
  });
});

describe("a hook before the instant that fails", () => {
  test("ends the run as SF-104 before anything is frozen, and lets the application go", async () => {
    const { runId, ended, words } = await run({
      volumes: both,
      hooks: [
        { at: "preFreeze", name: "flush", command: "echo no such database >&2; exit 3" },
        { at: "freezeHold", command: holds("never") },
        { at: "postSnapshot", command: writes("snapshot $STILLFRAME_OUTCOME $STILLFRAME_CODE") },
        { at: "postRun", command: writes("end $STILLFRAME_OUTCOME $STILLFRAME_CODE") },
      ],
    });
    expect(ended).toMatchObject({ outcome: "failed", code: "SF-104" });
    expect(failureOf(runId)).toMatchObject({
      code: "SF-104",
      message: expect.stringMatching(/^the pre-freeze hook "flush" ended with exit code 3 .*: no such database$/),
      evidence: {
        ...{ hook: "flush", at: "preFreeze", cause: "exit", exitCode: 3, signal: null },
        ...{ volumes: both, tookMs: expect.any(Number), lines: ["no such database"] },
      },
    });
    expect(phasesOf(runId)).not.toContain("freezing");
    expect(words).toEqual(["snapshot failed SF-104", "end failed SF-104"]);
    await nothingLeft();
  });

  test("only warns where the job says so, and the run goes on", async () => {
    const { runId, ended, words } = await run({
      volumes: ["one"],
      hooks: [
        { at: "preFreeze", name: "flush", command: "exit 3", onFailure: "warn" },
        { at: "freezeHold", name: "lock", command: "exit 4", onFailure: "warn" },
      ],
    });
    expect(ended).toMatchObject({ outcome: "warnings", code: null });
    expect(words).toEqual(["backup"]);
    expect(failureOf(runId)).toBeUndefined();
    const warned = worker.console.eventsOf(runId).filter((e) => e.type === "log" && e.level === "warn");
    expect(warned).toMatchObject([{ code: "SF-104" }, { code: "SF-104" }]);
  });
});

test.each(["postSnapshot", "postRun"] as const)(
  "a %s hook that fails is a warning, whatever the job says",
  async (at) => {
    const { ended, words } = await run({ volumes: ["one"], hooks: [{ at, command: "exit 5" }] });
    expect(ended).toMatchObject({ outcome: "warnings", code: null });
    expect(words).toEqual(["backup"]);
  },
);

describe("a program that holds an application", () => {
  test.each([
    ["ends without having said READY", "echo ready", { cause: "unready", exitCode: 0 }],
    ["does not say READY in its time", "sleep 600", { cause: "notReady" }],
  ])("and %s fails the run before anything is frozen", async (_, command, evidence) => {
    const { runId, ended } = await run({ volumes: both, hooks: [{ at: "freezeHold", command, timeoutMs: 300 }] });
    expect(ended).toMatchObject({ outcome: "failed", code: "SF-104" });
    expect(failureOf(runId)).toMatchObject({ evidence });
    expect(phasesOf(runId)).not.toContain("freezing");
    await nothingLeft();
  });

  test.each([
    ["ends before the instant", "echo READY; exit 0", { cause: "early" }],
    ["is killed before the instant", "echo READY; kill -KILL $$", { cause: "early" }],
    ["fails when it lets go", "echo READY; cat; exit 9", { cause: "late", exitCode: 9 }],
  ])("and %s: the snapshot does not count", async (_, command, evidence) => {
    const { runId, ended, words } = await run({ volumes: both, hooks: [{ at: "freezeHold", command }] });
    expect(ended).toMatchObject({ outcome: "failed", code: "SF-104" });
    expect(failureOf(runId)).toMatchObject({ evidence });
    expect(words).toEqual([]);
    for (const event of worker.console.eventsOf(runId)) {
      if (event.type === "volumeEnded") expect(event.result).toMatchObject({ state: "failed", takenAt: null });
    }
    await nothingLeft();
  });

  test("and ends while another is not ready yet fails the run before anything is frozen", async () => {
    const pid = worker.path("first's pid");
    const hooks = [
      { at: "freezeHold" as const, command: `echo $$ > "${pid}"; echo READY` },
      { at: "freezeHold" as const, command: `while kill -0 $(cat "${pid}"); do sleep 0.05; done; echo READY; cat` },
    ];
    const { runId, ended } = await run({ volumes: both, hooks });
    expect(ended).toMatchObject({ outcome: "failed", code: "SF-104" });
    expect(failureOf(runId)).toMatchObject({ evidence: { cause: "early", hook: "freeze-hold hook 1" } });
    expect(phasesOf(runId)).not.toContain("freezing");
  });

  test("and writes to the volume that is frozen waits for the thaw, which does not wait for it; then TERM tells it", async () => {
    const file = join(worker.mount("one"), "held");
    const command = `echo READY; while :; do echo x >> '${file}' || exit 1; done`;
    const { runId, ended } = await run({ volumes: ["one"], hooks: [{ at: "freezeHold", command }] });
    expect(ended.outcome, worker.console.story(runId)).toBe("succeeded");
    await nothingLeft();
  });
});

describe("nothing remains of a hook", () => {
  const stubborn = {
    "ignores TERM": "trap '' TERM; while :; do sleep 600; done",
    "leaves children that hold its pipes": "sleep 600 & sleep 600 & wait",
    "puts a child into a session of its own": "setsid sleep 600 & wait",
    "writes lines without end": "yes a line",
    "writes one line without end": "yes | tr -d '\\n'",
  };

  test(`that ${Object.keys(stubborn).join(", that ")}, once its time is over`, async () => {
    const hooks = Object.values(stubborn).map((command) => `: '${worker.directory}'; ${command}`);
    const trials = hooks.map((command) => trial({ at: "preFreeze", command, timeoutMs: 300 }));
    for (const tried of await Promise.all(trials)) {
      expect(tried).toMatchObject({ ok: false, message: expect.stringMatching(/did not end within 300 ms/) });
      expect(tried.lines.join("\n").length).toBeLessThan(10_000);
    }
    await nothingLeft();
  });

  test("that writes without end in a run: of its lines the log has some", async () => {
    const hook = { at: "preFreeze" as const, command: "yes a line", timeoutMs: 300 };
    const { runId, ended } = await run({ volumes: ["one"], hooks: [hook] });
    expect(ended).toMatchObject({ outcome: "failed", code: "SF-104" });
    expect(failureOf(runId)).toMatchObject({ evidence: { cause: "timeout" } });
    expect(logOf(runId).length).toBeLessThan(250);
  });

  test("that ended well and left children with its pipes: the run does not wait for them", async () => {
    const command = `: '${worker.directory}'; sleep 600 & echo started`;
    const { ended } = await run({ volumes: ["one"], hooks: [{ at: "preFreeze", command }] });
    expect(ended.outcome).toBe("succeeded");
    await nothingLeft();
  });

  test.each(["preFreeze", "freezeHold"] as const)(
    "before the instant (%s) when the run is cancelled; those after it run",
    async (at) => {
      trace.clear();
      const runId = await worker.startRun({
        volumes: both,
        command: writes("backup"),
        hooks: [
          { at, command: `${writes("begun")}; sleep 600` },
          { at: "postSnapshot", command: writes("snapshot $STILLFRAME_OUTCOME") },
          { at: "postRun", command: writes("end $STILLFRAME_OUTCOME") },
        ],
      });
      await expect.poll(traced, { timeout: 30_000 }).toEqual(["begun"]);
      await worker.host.host("run.cancel", { runId });
      expect(await worker.console.ended(runId)).toMatchObject({ outcome: "cancelled" });
      expect(traced()).toEqual(["begun", "snapshot cancelled", "end cancelled"]);
      await nothingLeft();
    },
  );
});

describe("a hook that is tried alone", () => {
  test("says how it went and what it said", async () => {
    const good = await trial({ at: "preFreeze", name: "flush", command: "echo $STILLFRAME_VOLUMES" });
    expect(good).toMatchObject({ ok: true, lines: ["one two"], message: expect.stringMatching(/"flush" ended well/) });
    const bad = await trial({ at: "preFreeze", command: "echo no >&2; exit 2" });
    expect(bad).toMatchObject({ ok: false, lines: ["no"], message: expect.stringMatching(/exit code 2/) });
    const lost = await trial({ at: "preFreeze", command: "kill -SEGV $$" });
    expect(lost.message).toMatch(/was ended by SIGSEGV/);
    expect((await trial({ at: "preFreeze", command: ["/nowhere/at all"] })).message).toMatch(/exit code 127/);
    expect((await trial({ at: "preFreeze", command: ["/etc/passwd"] })).message).toMatch(/exit code 126/);
  });

  test("of one that holds: it lets go at once", async () => {
    const held = await trial({ at: "freezeHold", command: "echo READY; cat; echo gone" });
    expect(held).toMatchObject({
      ok: true,
      lines: ["READY", "gone"],
      message: expect.stringMatching(/was ready after/),
    });
    const not = await trial({ at: "freezeHold", command: "sleep 600", timeoutMs: 300 });
    expect(not).toMatchObject({ ok: false, message: expect.stringMatching(/did not say READY within/) });
    await nothingLeft();
  });
});

test("no snapshot was ever left by all of this", async () => {
  expect(await worker.host.host("snapshot.list", {})).toEqual([]);
  expect(existsSync(trace.path)).toBe(true);
});
