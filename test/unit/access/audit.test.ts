import { expect, test } from "vitest";
import { changedFields, redacted } from "@/server/core/access/audit";

test("secrets are left out wherever they are, whether there is one is not", () => {
  const kept = redacted({ name: "a", password: "x", list: [{ apiToken: "y" }], hasPassword: true });
  expect(kept).toEqual({ name: "a", password: "(not kept)", list: [{ apiToken: "(not kept)" }], hasPassword: true });
});

test("long texts are cut", () => {
  expect(redacted("x".repeat(600))).toHaveLength(501);
});

test("only the fields that differ are told, by their paths", () => {
  const before = { name: "a", quiet: { minimumMs: 250, timeoutMs: 1 }, paths: ["/a"] };
  const after = { name: "a", quiet: { minimumMs: 40, timeoutMs: 1 }, paths: ["/a", "/b"] };
  expect(changedFields(before, after)).toEqual([
    { field: "paths", before: ["/a"], after: ["/a", "/b"] },
    { field: "quiet.minimumMs", before: 250, after: 40 },
  ]);
  expect(changedFields(before, before)).toEqual([]);
});
