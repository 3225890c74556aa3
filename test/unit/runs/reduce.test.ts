import { describe, expect, it } from "vitest";
import type { Phase, Run, RunEvent } from "@/server/core/contracts/run";
import { quietWait, quietWaitWords, waitedFor, withoutQuiet } from "@/server/core/runs/quiet-wait";
import { IllegalTransition, initialRun, reduce } from "@/server/core/runs/reduce";

const at = "2026-11-22T02:05:12.218Z";
const spec = {
  runId: "r1",
  jobId: "j1",
  jobName: "Nightly",
  mode: "allAtOnce" as const,
  selection: { volumes: ["a", "b"], paths: [], excludes: [] },
};
const queued = initialRun(spec, { number: 7, hostId: "h" });
const started: RunEvent = { type: "started", at, mode: "allAtOnce", groups: [["a", "b"]] };
const phase = (name: Phase, group = 0): RunEvent => ({ type: "phase", at, group, phase: name });
const play = (events: RunEvent[], from: Run = queued): Run => events.reduce(reduce, from);
const wholeGroup = (group = 0): RunEvent[] =>
  (["reserving", "waitingForQuiet", "freezing", "snapshotted", "backingUp", "releasing", "done"] as const).map((p) =>
    phase(p, group),
  );

describe("a run", () => {
  it("is queued before its first event, with every volume pending", () => {
    expect(queued.state).toBe("queued");
    expect(queued.volumes.map((v) => v.state)).toEqual(["pending", "pending"]);
  });

  it("passes all phases and succeeds", () => {
    const run = play([started, ...wholeGroup(), { type: "ended", at, outcome: "succeeded", code: null }]);
    expect(run).toMatchObject({ state: "succeeded", startedAt: at, endedAt: at, code: null });
  });

  it("starts a second group only after the first is done", () => {
    expect(play([started, ...wholeGroup(0), phase("reserving", 1)]).state).toBe("reserving");
    expect(() => play([started, phase("reserving"), phase("waitingForQuiet"), phase("reserving", 1)])).toThrow(
      IllegalTransition,
    );
  });

  it("refuses to go back, to skip the release, and to begin before it has started", () => {
    expect(() => play([started, phase("reserving"), phase("freezing"), phase("waitingForQuiet")])).toThrow();
    expect(() => play([started, phase("reserving"), phase("done")])).toThrow();
    expect(() => play([phase("reserving")])).toThrow(/has not started/);
    expect(() => play([started, started])).toThrow(/already started/);
  });

  it("cannot succeed in the middle, and can be interrupted anywhere", () => {
    expect(() =>
      play([started, phase("reserving"), { type: "ended", at, outcome: "succeeded", code: null }]),
    ).toThrow();
    const run = play([started, phase("reserving"), { type: "ended", at, outcome: "interrupted", code: "SF-106" }]);
    expect(run).toMatchObject({ state: "interrupted", code: "SF-106" });
    expect(run.volumes.every((v) => v.state === "cancelled")).toBe(true);
  });

  it("keeps the code of the first failure", () => {
    const fails = (code: "a000851c" | "SF-103"): RunEvent => ({
      type: "failure",
      at,
      code,
      volume: "a",
      message: "",
      evidence: {},
    });
    const run = play([
      started,
      phase("reserving"),
      fails("a000851c"),
      fails("SF-103"),
      phase("releasing"),
      phase("done"),
      { type: "ended", at, outcome: "failed", code: "SF-103" },
    ]);
    expect(run.code).toBe("a000851c");
    expect(run.volumes.map((v) => v.state)).toEqual(["failed", "failed"]);
  });

  it("accepts nothing but log lines once it has ended", () => {
    const ended = play([started, { type: "ended", at, outcome: "cancelled", code: null }]);
    expect(reduce(ended, { type: "log", at, level: "info", text: "late", code: null })).toBe(ended);
    expect(() => reduce(ended, phase("reserving"))).toThrow(/has ended/);
  });

  it("records instants and caches by volume, and refuses a volume that is not its own", () => {
    const run = play([
      started,
      phase("reserving"),
      { type: "cacheReserved", at, group: 0, volume: "a", location: "/c", reservedBytes: 1, maxBytes: 2 },
      phase("freezing"),
      { type: "frozen", at, group: 0, frozenMs: 4, spreadMs: 1, volumes: [{ name: "a", takenAt: at }] },
    ]);
    expect(run.volumes[0]).toMatchObject({ cacheLocation: "/c", cacheMaxBytes: 2, takenAt: at, provider: "engine" });
    expect(() =>
      play([
        started,
        { type: "snapshotReleased", at, group: 0, volume: "a", cause: "done" },
        {
          type: "cacheReserved",
          at,
          group: 0,
          volume: "zzz",
          location: "/c",
          reservedBytes: 1,
          maxBytes: 2,
        },
      ]),
    ).toThrow(/not part of the run/);
  });
});

describe("a quiet window", () => {
  const ended = (group: number, timedOut: boolean): RunEvent => {
    const from = timedOut ? null : at;
    return { type: "quietEnded", at, group, from, waitedMs: 60_000, timedOut };
  };
  const frozen = (group: number, ...names: string[]): RunEvent => {
    const volumes = names.map((name) => ({ name, takenAt: at }));
    return { type: "frozen", at, group, frozenMs: 3, spreadMs: 0, volumes };
  };

  it("that was missed is in the result of each volume that was frozen without", () => {
    const run = play([started, ended(0, true), frozen(0, "a")]);
    expect(run.volumes.map(({ quiet }) => quiet)).toEqual(["missed", "missed"]);
    // b was read live: its freeze did not wait.
    expect(withoutQuiet(run)).toEqual(["a"]);
    expect(withoutQuiet(play([started, ended(0, false), frozen(0, "a", "b")]))).toEqual([]);
  });

  it("is each volume's own when they are processed one at a time, and stays in its result", () => {
    const apart: RunEvent = { type: "started", at, mode: "oneAtATime", groups: [["a"], ["b"]] };
    const from = { ...queued, mode: "oneAtATime" as const };
    const run = play([apart, ended(0, false), frozen(0, "a"), ended(1, true), frozen(1, "b")], from);
    expect(run.volumes.map(({ quiet }) => quiet)).toEqual(["found", "missed"]);
    const b = run.volumes[1];
    if (!b) throw new Error("b is a volume of it");
    const { quiet: _, ...told } = { ...b, state: "succeeded" as const };
    const result: RunEvent = { type: "volumeEnded", at, group: 1, result: told, backupSnapshot: null };
    expect(withoutQuiet(reduce(run, result))).toEqual(["b"]);
  });

  it("is waited for until it ends: how long yet, and the longest gap so far", () => {
    const waits: RunEvent = { ...phase("waitingForQuiet"), quiet: { minimumMs: 250, timeoutMs: 60_000 } } as RunEvent;
    const gap = (longestMs: number): RunEvent => ({ type: "quietGap", at, group: 0, longestMs });
    const wait = quietWait([started, waits, gap(40), gap(140)]);
    if (!wait) throw new Error("it waits");
    const waited = (ms: number) => quietWaitWords(wait, waitedFor(wait, Date.parse(at) + ms));
    expect(waited(12_400)).toBe("longest gap so far 140 ms, 250 ms wanted; waited 12 s, at most 48 s more");
    expect(waited(90_000)).toMatch(/waited 1 min 0 s, at most 0 s more$/);
    expect(waited(-5000)).toMatch(/waited 0 s, at most 1 min 0 s more$/);
    expect(quietWait([started, waits])?.longestMs).toBeNull();
    expect(quietWait([started, waits, ended(0, true)])).toBeNull();
    expect(quietWait([started, waits, phase("freezing")])).toBeNull();
    expect(quietWait([started, phase("waitingForQuiet")])).toBeNull();
  });
});
