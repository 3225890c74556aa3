import { describe, expect, test } from "vitest";
import { actionIds } from "@/server/core/errors/actions";
import { readingMinutes } from "@/server/core/errors/article";
import { errorCodes } from "@/server/core/errors/codes";
import { errorTable } from "@/server/core/errors/table";

describe("every error that a person can see", () => {
  test.each(errorCodes)("%s has texts, causes, at least one action and an article", (code) => {
    const entry = errorTable[code];
    expect(entry.code).toBe(code);
    expect(entry.title).not.toBe("");
    expect(entry.causes.length).toBeGreaterThan(0);
    expect(new Set(entry.causes.map((cause) => cause.id)).size).toBe(entry.causes.length);
    expect(entry.actions.length).toBeGreaterThan(0);
    for (const action of entry.actions) expect(actionIds).toContain(action.id);
    expect(entry.article.blocks.some((block) => block.kind === "heading" && /one at a time/.test(block.text))).toBe(
      true,
    );
    expect(readingMinutes(entry.article)).toBeGreaterThanOrEqual(1);
  });

  test.each(errorCodes)("%s says something sensible even when no evidence was kept", (code) => {
    const entry = errorTable[code];
    expect(entry.sentence({})).toMatch(/\.$/);
    for (const cause of entry.causes) {
      expect(["true", "no", "unknown"]).toContain(cause.check({}));
      expect(cause.detail({})).not.toBe("");
    }
  });
});

test("the four inherited errors keep the words that administrators search for", () => {
  expect(errorTable.a00084af.text).toBe("Directory or File was not found, or could not be accessed.");
  expect(errorTable.a000851c.text).toBe(
    "OFO: Snapshot error (0xa000851c): SnapShot CacheFileBroker was unable to allocate cache files. Check disk space.",
  );
  expect(errorTable["OFO-QUIET"].text).toBe("OFO: Unable to get minimum quiet time window for physical volume.");
  expect(errorTable["OFO-COMM"].text).toBe(
    "OFO: failed to establish communication with the Advanced Open File component. A reinstallation is probably necessary.",
  );
});
