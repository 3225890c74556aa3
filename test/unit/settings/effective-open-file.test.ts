import { describe, expect, it } from "vitest";
import { jobInputSchema, jobOpenFileSchema, openFileDefaultsSchema, openFileSchema } from "@/server/core/contracts/job";
import { defaultSettings } from "@/server/core/contracts/settings";
import { effectiveOpenFile, sizeProblem } from "@/server/core/settings/effective-open-file";
import { changedPanelFields, changeTo, inheriting } from "@/server/core/settings/panel-fields";

const MIB = 1024 ** 2;
const own = (panel: object) => jobOpenFileSchema.parse(panel);
const inherited = (openFile: object, oneAtATime = false) => ({
  oneAtATime,
  openFile: openFileDefaultsSchema.parse(openFile),
});

describe("what a job inherits", () => {
  it("is all that it says nothing of; with settings that nobody touched, the built-in values", () => {
    expect(effectiveOpenFile(own({}), defaultSettings)).toEqual(openFileSchema.parse({ oneAtATime: "off" }));
  });

  it("is each field by itself, and what it has of its own stays", () => {
    const settings = inherited(
      {
        quiet: { minimumMs: 900, timeoutMs: 5000, atTimeout: "fail", ignorePaths: ["/var/log"] },
        cache: { initialBytes: 2 * MIB, maxBytes: 8 * MIB, whenFull: "hold", holdMs: 700, skipFreeBlocks: false },
        noSnapshot: "readLive",
      },
      true,
    );
    expect(effectiveOpenFile(own({}), settings)).toMatchObject({ ...settings.openFile, oneAtATime: "on" });
    const job = own({
      oneAtATime: "off",
      quiet: { minimumMs: 0, ignorePaths: [] },
      cache: { location: "/srv/cache", maxBytes: null, skipFreeBlocks: true },
      noSnapshot: "fail",
    });
    expect(effectiveOpenFile(job, settings)).toMatchObject({
      oneAtATime: "off",
      quiet: { minimumMs: 0, timeoutMs: 5000, atTimeout: "fail", ignorePaths: [] },
      cache: { location: "/srv/cache", initialBytes: 2 * MIB, maxBytes: null, whenFull: "hold", skipFreeBlocks: true },
      noSnapshot: "fail",
    });
  });

  it("leaves a job of before, with a value in each field, as it was", () => {
    const before = openFileSchema.parse({});
    const settings = inherited({ quiet: { minimumMs: 900 }, cache: { maxBytes: 8 * MIB }, noSnapshot: "readLive" });
    expect(effectiveOpenFile(own(before), settings)).toEqual({ ...before, oneAtATime: "off" });
  });

  it("holds an initial size to the maximum where a changed setting has put the two out of order", () => {
    const large = own({ cache: { initialBytes: 64 * MIB } });
    expect(effectiveOpenFile(large, inherited({ cache: { maxBytes: 16 * MIB } })).cache.initialBytes).toBe(16 * MIB);
    const small = own({ cache: { maxBytes: 16 * MIB } });
    expect(effectiveOpenFile(small, inherited({ cache: { initialBytes: 64 * MIB } })).cache.initialBytes).toBe(
      16 * MIB,
    );
  });
});

describe("sizes that do not go together", () => {
  it("are told with the job's own field and the size that is inherited", () => {
    const settings = inherited({ cache: { initialBytes: 4 * MIB, maxBytes: 16 * MIB } });
    expect(sizeProblem(own({ cache: { initialBytes: 64 * MIB } }), settings)).toEqual({
      field: "openFile.cache.initialBytes",
      message: "must not be more than the maximum size that the job inherits, 16.0 MiB",
    });
    expect(sizeProblem(own({ cache: { maxBytes: 2 * MIB } }), settings)).toEqual({
      field: "openFile.cache.maxBytes",
      message: "must not be less than the initial size that the job inherits, 4.0 MiB",
    });
    expect(sizeProblem(own({ cache: { initialBytes: 64 * MIB, maxBytes: null } }), settings)).toBeNull();
    expect(sizeProblem(own({ cache: { initialBytes: 16 * MIB } }), settings)).toBeNull();
  });

  it("are refused by the schema where both are of one document", () => {
    const cache = { initialBytes: 4 * MIB, maxBytes: 2 * MIB };
    for (const schema of [openFileSchema, jobOpenFileSchema, openFileDefaultsSchema])
      expect(schema.safeParse({ cache }).error?.issues).toMatchObject([{ path: ["cache", "initialBytes"] }]);
  });
});

describe("a value that cannot be", () => {
  const said = (openFile: unknown) =>
    jobInputSchema.shape.openFile
      .safeParse(openFile)
      .error?.issues.map(({ path, message }) => [path.join("."), message]);
  it("is told as one of the field, not of the choice between it and inheriting", () => {
    expect(said({ quiet: { minimumMs: 90_000 } })).toEqual([["quiet.minimumMs", "must be at most 60 s"]]);
    expect(said({ quiet: { minimumMs: Number.NaN } })).toEqual([["quiet.minimumMs", "must be a whole number"]]);
    expect(said({ quiet: { minimumMs: "soon" } })).toEqual([
      ["quiet.minimumMs", "must be a whole number, or “inherit”"],
    ]);
    expect(said({ quiet: { ignorePaths: ["/ok", "var/log"] } })).toEqual([
      ["quiet.ignorePaths.1", "must be an absolute path, starting with /"],
    ]);
    expect(said({ cache: { maxBytes: 1000 } })).toEqual([["cache.maxBytes", "must be at least 1 MiB"]]);
  });
});

describe("a change of the defaults", () => {
  const before = openFileDefaultsSchema.parse({});
  const after = { ...before, quiet: { ...before.quiet, minimumMs: 500 }, noSnapshot: "readLive" as const };
  it("names the fields, sends only these, and reaches the jobs that inherit one of them", () => {
    const fields = changedPanelFields(before, after);
    expect(fields).toEqual(["quiet.minimumMs", "noSnapshot"]);
    expect(changeTo(fields, after)).toEqual({ quiet: { minimumMs: 500 }, cache: {}, noSnapshot: "readLive" });
    const jobs = [{}, { quiet: { minimumMs: 1 }, noSnapshot: "fail" }, { quiet: { minimumMs: 1 } }].map((panel) => ({
      openFile: own(panel),
    }));
    expect(inheriting(jobs, fields)).toEqual([jobs[0], jobs[2]]);
    expect(inheriting(jobs, ["quiet.minimumMs"])).toEqual([jobs[0]]);
  });
});
