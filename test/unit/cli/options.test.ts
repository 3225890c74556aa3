import { describe, expect, test } from "vitest";
import { openFileOf } from "@/server/cli/open-file-options";
import { collect, countOption, millisecondsOption, portOption, sizeOption } from "@/server/cli/parse";
import { openFileSchema } from "@/server/core/contracts/job";

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
