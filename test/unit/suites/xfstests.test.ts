/** What `npm run xfstests` says of its arguments, and how it compares. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { testsInGroup } from "@/test/suites/xfstests/checkout";
import { readOptions } from "@/test/suites/xfstests/options";
import { type Outcome, outcomeOf, summaryText, verdictOf } from "@/test/suites/xfstests/outcome";

let source: string;

beforeAll(() => {
  source = mkdtempSync(join(tmpdir(), "xfstests-"));
  mkdirSync(join(source, "tests/generic"), { recursive: true });
  writeFileSync(join(source, "check"), "");
});
afterAll(() => rmSync(source, { recursive: true }));

it.each([
  [[], "--source must name a checkout of xfstests"],
  [["--source", "/nowhere"], "/nowhere is no checkout of xfstests"],
  [["--fs", "btrfs"], "--fs must be ext4 or xfs"],
  [["--group", "quick,auto"], "--group must be the name of one group"],
  [["--tests", "generic/001,013"], '"013" is no test'],
  [["--from", "xfs/001"], '"xfs/001" is no test'],
  [["--minutes", "soon"], "--minutes must be a number from 0.1 on"],
  [["--test-seconds", "0"], "--test-seconds must be a number from 1 on"],
  [["--build", "/tmp/there"], "/tmp/there must not lie in /tmp"],
  [["--snapshots"], "Unknown option '--snapshots'"],
])("refuses %j, saying why", (args, why) => {
  const given = args.includes("--source") || args.length === 0 ? args : ["--source", source, ...args];
  expect(() => readOptions(given)).toThrow(why);
});

it("takes what is asked for, and the quick group on ext4 otherwise", () => {
  const chosen = readOptions(["--source", source, "--fs", "xfs", "--tests", "generic/001,generic/1234", "--snapshot"]);
  expect(chosen).toMatchObject({ source, fileSystem: "xfs", tests: ["generic/001", "generic/1234"], snapshot: true });
  expect(readOptions(["--source", source])).toMatchObject({ fileSystem: "ext4", group: "quick", tests: null });
});

it("finds the tests of a group by its whole name", () => {
  const list = "# made by a program\n001 rw dir auto quick\n002 auto quicker\n013 quick # a word\n";
  expect(testsInGroup(list, "quick")).toEqual(["generic/001", "generic/013"]);
});

it("tells outcomes that are the same from those that differ once or twice", () => {
  const passed = outcomeOf(0, null, "", 1);
  const failed = outcomeOf(1, null, "output mismatch", 1);
  const notRun = outcomeOf(0, "this test requires quota\n", "", 1);
  expect(notRun).toEqual({ kind: "notRun", detail: "this test requires quota", seconds: 1 });
  const row = (outcomes: Outcome[], repeated: Outcome[] = []) => ({ test: "generic/001", outcomes, repeated });
  const rows = [
    row([passed, passed]),
    row([failed, failed]),
    row([notRun, notRun]),
    row([passed, failed], [passed, passed]),
    row([passed, failed], [passed, failed]),
  ];
  expect(rows.map(verdictOf)).toEqual(["same", "same", "same", "unsteady", "different"]);
  const text = summaryText(["raw", "attached"], rows, ["generic/900"]);
  expect(text).toContain("5 tests: the same 3, unsteady 1, different 1");
  expect(text).toContain("not begun: 1; --from generic/900 goes on");
  expect(text).toContain("this test requires quota");
});
