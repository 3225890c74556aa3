import { describe, expect, test } from "vitest";
import { openFileOf, panelOf } from "@/server/cli/open-file-options";
import { collect, countOption, millisecondsOption, portOption, sizeOption, sizeOrAutomatic } from "@/server/cli/parse";
import { jobOpenFileSchema, openFileSchema } from "@/server/core/contracts/job";

describe("values of options", () => {
  test("durations are milliseconds unless they say seconds", () => {
    expect([millisecondsOption("250"), millisecondsOption("250ms"), millisecondsOption("2s")]).toEqual([
      250, 250, 2000,
    ]);
  });

  test.each<[string, () => unknown, RegExp]>([
    ["a duration in words", () => millisecondsOption("soon"), /milliseconds/],
    ["a negative duration", () => millisecondsOption("-1"), /milliseconds/],
    ["a port out of range", () => portOption("70000"), /1 to 65535/],
    ["a count of nothing", () => countOption("0"), /above 0/],
    ["an ambiguous size", () => sizeOption("10MB"), /10MiB/],
  ])("%s is refused with what is accepted", (_what, parse, said) => expect(parse).toThrow(said));

  test("an option given twice is collected in order", () =>
    expect(collect("b", collect("a", undefined))).toEqual(["a", "b"]));
});

test("what is not given keeps the panel's own defaults", () => {
  expect(openFileSchema.parse(openFileOf({}))).toEqual(openFileSchema.parse({}));
  expect(openFileSchema.parse(openFileOf({ minQuiet: 0, cacheMax: 8 * 1024 ** 2, skipFree: false }))).toMatchObject({
    quiet: { minimumMs: 0, timeoutMs: 60_000 },
    cache: { maxBytes: 8 * 1024 ** 2, whenFull: "release", skipFreeBlocks: false },
  });
});

test("what a job is not given it inherits; “automatic” and no path at all are values of its own", () => {
  expect(jobOpenFileSchema.parse(openFileOf({}))).toMatchObject({
    quiet: { minimumMs: "inherit", ignorePaths: "inherit" },
    cache: { maxBytes: "inherit", skipFreeBlocks: "inherit" },
  });
  const cacheMax = sizeOrAutomatic("automatic");
  expect(jobOpenFileSchema.parse(openFileOf({ cacheMax, ignoreNothing: true, skipFree: true }))).toMatchObject({
    quiet: { ignorePaths: [] },
    cache: { maxBytes: null, skipFreeBlocks: true },
  });
  expect(panelOf({ hold: 50, ignorePath: ["/a/../b"] })).toEqual({
    quiet: { ignorePaths: ["/b"] },
    cache: { holdMs: 50 },
  });
  expect(() => panelOf({ ignoreNothing: true, ignorePath: ["/a"] })).toThrow("exclude each other");
});
