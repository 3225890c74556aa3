import { describe, expect, test } from "vitest";
import type { Severity } from "@/server/core/contracts/notifications";
import type { ErrorCode } from "@/server/core/errors/codes";
import { delayAfter } from "@/server/core/notifications/back-off";
import { afterQuiet, hear, type Listener, type Quiet } from "@/server/core/notifications/quiet-repetition";
import { severityOf } from "@/server/core/notifications/severity";

const HOUR = 3_600_000;
const listener: Listener = {
  id: "ops",
  enabled: true,
  tells: ["failed", "warning", "recovered"],
  jobIds: null,
  quietMinutes: 60,
};
const ending = (severity: Severity, code: ErrorCode | null = null, runId = "run") => ({
  runId,
  jobId: "job",
  severity,
  code,
});

/** Ends of one job in turn, hours after the first; what was told of each. */
function story(to: Listener, ends: [atHours: number, severity: Severity, code?: ErrorCode][]) {
  let quiets: Quiet[] = [];
  return ends.map(([at, severity, code]) => {
    const heard = hear(to, ending(severity, code ?? null), quiets, at * HOUR);
    quiets = heard.quiets;
    return heard.tell?.untold ?? null;
  });
}

describe("the same failure of the same job", () => {
  test("is told once, then counted; another code or a warning is another matter", () => {
    expect(
      story(listener, [
        [0, "failed", "SF-103"],
        [0.1, "failed", "SF-103"],
        [0.2, "failed", "OFO-COMM"],
        [0.3, "warning", "SF-103"],
        [0.4, "failed", "SF-103"],
      ]),
    ).toEqual([0, null, 0, 0, null]);
  });

  test("is news again after a success that was told, which carries the count", () => {
    expect(
      story(listener, [
        [0, "failed"],
        [0.1, "failed"],
        [0.2, "warning"],
        [0.3, "warning"],
        [0.4, "recovered"],
        [0.5, "failed"],
      ]),
    ).toEqual([0, null, 0, null, 2, 0]);
  });

  test("stays quiet over a success that the channel does not tell", () => {
    const failuresOnly: Listener = { ...listener, tells: ["failed"] };
    expect(
      story(failuresOnly, [
        [0, "failed"],
        [0.1, "recovered"],
        [0.2, "failed"],
      ]),
    ).toEqual([0, null, null]);
  });

  test("is told each time where no quiet time is chosen", () => {
    expect(
      story({ ...listener, quietMinutes: 0 }, [
        [0, "failed"],
        [0.1, "failed"],
      ]),
    ).toEqual([0, 0]);
  });

  test("is told with its count when the time is over, and then begins anew", () => {
    const { quiets } = hear(listener, ending("failed", "SF-103", "first"), [], 0);
    const counted = hear(listener, ending("failed", "SF-103", "second"), quiets, 1).quiets[0] as Quiet;
    expect(counted).toMatchObject({ untold: 1, lastRunId: "second", until: HOUR });
    const over = afterQuiet(listener, counted, HOUR);
    expect(over.tell).toEqual({ channelId: "ops", untold: 1 });
    expect(over.quiet).toMatchObject({ untold: 0, until: 2 * HOUR });
    expect(afterQuiet(listener, over.quiet as Quiet, 2 * HOUR)).toEqual({ tell: null, quiet: null });
    expect(afterQuiet({ ...listener, tells: ["warning"] }, counted, HOUR)).toEqual({ tell: null, quiet: null });
  });
});

test("a channel hears of its jobs and severities only, and of nothing while it is switched off", () => {
  expect(hear({ ...listener, jobIds: ["other"] }, ending("failed"), [], 0).tell).toBeNull();
  expect(hear({ ...listener, jobIds: ["job"] }, ending("failed"), [], 0).tell).not.toBeNull();
  expect(hear({ ...listener, enabled: false }, ending("failed"), [], 0).tell).toBeNull();
  expect(hear(listener, ending("succeeded"), [], 0).tell).toBeNull();
  expect(hear({ ...listener, tells: ["succeeded"] }, ending("recovered"), [], 0).tell).not.toBeNull();
});

test("a success is a recovery after a failure, an interruption or a warning; a cancelled run is not told", () => {
  expect((["failed", "interrupted", "warnings"] as const).map((before) => severityOf("succeeded", before))).toEqual(
    Array(3).fill("recovered"),
  );
  expect(severityOf("succeeded", "succeeded")).toBe("succeeded");
  expect(severityOf("succeeded", null)).toBe("succeeded");
  expect(severityOf("cancelled", "failed")).toBeNull();
});

test("attempts come ever more rarely for half a day, then it is given up; a receiver's own wish is heeded up to an hour", () => {
  const delays: number[] = [];
  for (let delay = delayAfter(1, null); delay !== null; delay = delayAfter(delays.length + 1, null)) delays.push(delay);
  expect(delays).toEqual([...delays].sort((a, b) => a - b));
  const total = delays.reduce((sum, delay) => sum + delay, 0);
  expect(total).toBeGreaterThan(10 * HOUR);
  expect(total).toBeLessThan(13 * HOUR);
  expect(delayAfter(1, 60_000)).toBe(60_000);
  expect(delayAfter(1, 100 * HOUR)).toBe(HOUR);
});
