import { describe, expect, test } from "vitest";
import type { ErrorCode } from "@/server/core/errors/codes";
import type { EvidenceFor } from "@/server/core/errors/evidence";
import { errorTable } from "@/server/core/errors/table";

function verdicts<C extends ErrorCode>(code: C, evidence: EvidenceFor<C>) {
  const json = JSON.parse(JSON.stringify(evidence));
  return Object.fromEntries(errorTable[code].causes.map((cause) => [cause.id, cause.check(json)]));
}

describe("a cache that ran full", () => {
  const evidence: EvidenceFor<"a000851c"> = {
    cause: "maximumReached",
    volume: "/srv/pgdata",
    mode: "allAtOnce",
    maxBytes: 8 * 1024 ** 2,
    errno: null,
    locations: [{ path: "/var/cache", freeBytes: 5e9, reservedBytes: 8e6, neededBytes: 2e8, turnedDown: null }],
    curve: [{ at: "2026-11-22T02:19:07.000Z", usedBytes: 8 * 1024 ** 2 }],
    needAllAtOnceBytes: 200e6,
    needOneAtATimeBytes: 120e6,
    orphanBytes: 0,
  };

  test("names the volume and the limit", () => {
    const sentence = errorTable.a000851c.sentence(evidence);
    expect(sentence).toContain("maximum of 8.0 MiB");
    expect(sentence).toContain("/srv/pgdata");
  });

  test("is put down to the change rate and to holding all volumes at once", () => {
    expect(verdicts("a000851c", evidence)).toEqual({
      moreChanged: "true",
      allHeldAtOnce: "true",
      locationsTurnedDown: "no",
      othersTookSpace: "no",
      orphans: "no",
      diskError: "no",
    });
  });

  test("is not put down to holding all at once when they were not", () => {
    expect(verdicts("a000851c", { ...evidence, mode: "oneAtATime" }).allHeldAtOnce).toBe("no");
  });

  test("without a forecast the comparison is open, not denied", () => {
    expect(verdicts("a000851c", { ...evidence, needAllAtOnceBytes: null }).allHeldAtOnce).toBe("unknown");
  });
});

describe("one at a time is offered", () => {
  const offered = <C extends ErrorCode>(code: C, evidence: EvidenceFor<C>) =>
    errorTable[code].actionsFor(JSON.parse(JSON.stringify(evidence))).find(({ id }) => id === "oneAtATime");
  const full = { cause: "maximumReached", volume: "/srv/a", mode: "allAtOnce", orphanBytes: 0 } as const;
  const quiet = { mode: "allAtOnce", minimumMs: 250, timeoutMs: 60_000 } as const;

  test("with the cache that it will need", () => {
    const needs = { needAllAtOnceBytes: 200 * 1024 ** 2, needOneAtATimeBytes: 120 * 1024 ** 2 };
    expect(offered("a000851c", { ...full, ...needs })?.description).toContain(
      "need 120 MiB of cache at a time instead of 200 MiB",
    );
  });
  test("not where a single volume needs all of it, or it is so already", () => {
    const needs = { needAllAtOnceBytes: 50 * 1024 ** 2, needOneAtATimeBytes: 50 * 1024 ** 2 };
    expect(offered("a000851c", { ...full, ...needs })).toBeUndefined();
    expect(offered("a000851c", { ...full, mode: "oneAtATime" })).toBeUndefined();
  });
  test("where no need is known", () => expect(offered("a000851c", full)).toBeDefined());
  test("against missing quiet only where several volumes had to rest together", () => {
    expect(offered("OFO-QUIET", { ...quiet, volumes: 2 })).toBeDefined();
    expect(offered("OFO-QUIET", quiet)).toBeDefined();
    expect(offered("OFO-QUIET", { ...quiet, volumes: 1 })).toBeUndefined();
    expect(verdicts("OFO-QUIET", { ...quiet, volumes: 1 }).allTogether).toBe("no");
  });
});

describe("an action that changes the job is offered where it can help", () => {
  const offered = <C extends ErrorCode>(code: C, evidence: EvidenceFor<C>) =>
    errorTable[code].actionsFor(JSON.parse(JSON.stringify(evidence))).map(({ id }) => id);
  const full = { cause: "maximumReached", whenFull: "release" } as const;
  const quiet = { minimumMs: 250, timeoutMs: 60_000 };

  test("holding writers: the cache filled while it was open, and they were not held", () => {
    expect(offered("a000851c", full)).toContain("holdWriters");
    expect(offered("a000851c", { ...full, cause: "noSpace" })).toContain("holdWriters");
    expect(offered("a000851c", { cause: "maximumReached" })).toContain("holdWriters");
    expect(offered("a000851c", { ...full, whenFull: "hold" })).not.toContain("holdWriters");
    expect(offered("a000851c", { ...full, cause: "noLocation" })).not.toContain("holdWriters");
    expect(offered("a000851c", { ...full, cause: "io" })).not.toContain("holdWriters");
  });
  test("ignoring paths: the evidence has some", () => {
    const writer = { pid: 1, command: "logger", writes: 4, paths: ["/log"] };
    expect(offered("OFO-QUIET", { ...quiet, writers: [writer] })).toContain("ignorePaths");
    expect(offered("OFO-QUIET", { ...quiet, writers: [{ ...writer, paths: [] }] })).not.toContain("ignorePaths");
    expect(offered("OFO-QUIET", quiet)).not.toContain("ignorePaths");
  });
});

describe("a path that is missing", () => {
  test("deleted from the live volume", () => {
    const found = verdicts("a00084af", { path: "/a", errno: 2, existsLive: false, snapshotReleased: false });
    expect(found).toMatchObject({ removed: "true", younger: "no", released: "no" });
  });
  test("created after the snapshot", () => {
    const found = verdicts("a00084af", { path: "/a", errno: 2, existsLive: true, snapshotReleased: false });
    expect(found).toMatchObject({ removed: "no", younger: "true" });
  });
  test("an input/output error because the snapshot was released is not blamed on the disk", () => {
    const found = verdicts("a00084af", { path: "/a", errno: 5, existsLive: true, snapshotReleased: true });
    expect(found).toMatchObject({ released: "true", diskError: "no" });
  });
});

test("a restic password that is wrong is recognised from its words", () => {
  const found = verdicts("SF-103", { exitCode: 1, lines: ["Fatal: wrong password or no key found"] });
  expect(found).toMatchObject({ password: "true", locked: "no", destinationFull: "no" });
});

test.each<[string, EvidenceFor<"SF-103">, string, RegExp]>([
  [
    "was never started",
    { lines: ["the repository lies on a volume of the job"] },
    "notStarted",
    /was not started: the rep/,
  ],
  ["is not installed", { lines: ["restic is not installed; install restic"] }, "notFound", /was not started/],
  ["was killed", { signal: "SIGKILL", lines: ["reading"] }, "killed", /was ended by SIGKILL: reading/],
  ["failed by itself", { exitCode: 3, lines: ["no such database"] }, "ownError", /exit code 3: no such database/],
])("a backup program that %s", (_, evidence, cause, sentence) => {
  const found = verdicts("SF-103", evidence);
  expect(Object.keys(found).filter((id) => found[id] === "true")).toEqual([cause]);
  expect(
    errorTable["SF-103"].sentence(JSON.parse(JSON.stringify({ signal: null, exitCode: null, ...evidence }))),
  ).toMatch(sentence);
});

test("an engine that died is told apart from one that hangs", () => {
  const dead = verdicts("OFO-COMM", { subject: "engine", processState: "absent" });
  expect(dead).toMatchObject({ notRunning: "true", hung: "no", socketGone: "unknown" });
  const hung = verdicts("OFO-COMM", { subject: "engine", processState: "sleeping" });
  expect(hung).toMatchObject({ notRunning: "no", hung: "true" });
});

test("a minimum quiet time a little above the longest gap is named as the cause", () => {
  const found = verdicts("OFO-QUIET", { longestGapMs: 180, minimumMs: 250, timeoutMs: 60_000, writesPerSecond: 5 });
  expect(found).toMatchObject({ minimumTooLong: "true", steadyWriter: "true", timeoutTooShort: "no" });
});

describe("a hook that failed", () => {
  const ended = { hook: "flush", at: "preFreeze", cause: "exit", exitCode: 1, tookMs: 40, timeoutMs: 60_000 } as const;
  const timedOut = { ...ended, cause: "timeout", exitCode: null, tookMs: 60_012 } as const;
  const socket = 'connection to server on socket "/var/run/postgresql/.s.PGSQL.5432" failed';
  const noPassword = 'FATAL:  password authentication failed for user "postgres"';
  const trueOf = (evidence: EvidenceFor<"SF-104">) =>
    Object.entries(verdicts("SF-104", evidence)).flatMap(([id, verdict]) => (verdict === "true" ? [id] : []));

  test.each<[string, EvidenceFor<"SF-104">, string[]]>([
    ["is not there", { ...ended, exitCode: 127, lines: ["sh: psql: not found"] }, ["notFound"]],
    ["may not run", { ...ended, exitCode: 126, lines: ["Permission denied"] }, ["notFound"]],
    ["was not let in", { ...ended, lines: ["ERROR 1045: Access denied for user 'root'"] }, ["refused"]],
    ["finds no server", { ...ended, lines: ["connect to server failed: Connection refused"] }, ["notReached"]],
    ["finds no PostgreSQL", { ...ended, lines: [`psql: error: ${socket}: No such file or directory`] }, ["notReached"]],
    ["has a wrong password", { ...ended, lines: [`psql: error: ${socket}: ${noPassword}`] }, ["refused"]],
    [
      "finds no MySQL",
      { ...ended, lines: [`ERROR 2002 (HY000): Can't connect to local MySQL server`] },
      ["notReached"],
    ],
    ["asked for a password", { ...timedOut, lines: ["Password for user postgres: "] }, ["asked", "noAnswer"]],
    ["went on and on", { ...timedOut, lines: ["working"] }, ["noAnswer"]],
    ["never was ready", { ...timedOut, at: "freezeHold", cause: "notReady" }, ["noAnswer"]],
    ["held nothing", { ...ended, at: "freezeHold", cause: "early", exitCode: 0 }, ["unready"]],
    ["met an error of its own", { ...ended, lines: ["disk I/O error"] }, ["ownError"]],
    ["crashed", { ...ended, cause: "signal", exitCode: null, signal: "SIGSEGV" }, ["ownError"]],
  ])("because it %s is told so, and no more than that", (_, evidence, causes) => {
    expect(trueOf(evidence)).toEqual(causes);
  });

  test("can be run alone where it is known which it was", () => {
    const offered = (evidence: EvidenceFor<"SF-104">) => errorTable["SF-104"].actionsFor(evidence).map(({ id }) => id);
    expect(offered(ended)).toEqual(["testHook", "rerun", "hookWarns", "showSelection"]);
    expect(offered({})).toEqual(["rerun", "showSelection"]);
  });

  test("is told in a sentence", () => {
    const { sentence } = errorTable["SF-104"];
    expect(sentence({ ...ended, lines: ["no such table"] })).toBe(
      'The pre-freeze hook "flush" ended with exit code 1 after 40 ms: no such table.',
    );
    expect(sentence(timedOut)).toBe('The pre-freeze hook "flush" did not end within 1 min 0 s, and was stopped.');
  });
});
