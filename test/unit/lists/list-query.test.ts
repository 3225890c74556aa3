import { expect, test } from "vitest";
import { z } from "zod";
import { isNarrowed, listAddress, listFields, readListQuery } from "@/server/core/lists/list-query";
import { containsWords, cutPage } from "@/server/core/lists/paging";

const schema = z
  .object({
    ...listFields,
    state: z.enum(["open", "all"]).default("open"),
    sort: z.enum(["new", "old"]).default("new"),
  })
  .strict();

test("an address says only what differs from the usual, and is read back as it was written", () => {
  expect(listAddress(schema, schema.parse({}))).toBe("");
  const query = schema.parse({ text: "a&b=ä", state: "all", page: 3 });
  const address = listAddress(schema, query);
  expect(readListQuery(schema, Object.fromEntries(new URLSearchParams(address)))).toEqual(query);
});

test("a part of an address that makes no sense counts as absent; the rest holds", () => {
  const asked = { page: "-7", state: "gone", sort: "old", text: ["twice", "said"], other: "x" };
  expect(readListQuery(schema, asked)).toEqual({ text: "", page: 1, state: "open", sort: "old" });
  expect(readListQuery(schema, { page: "1e99" }).page).toBe(1);
});

test("a list in another order or on another page is not narrowed; one with a search is", () => {
  expect(isNarrowed(schema, schema.parse({ page: 2, sort: "old" }))).toBe(false);
  expect(isNarrowed(schema, schema.parse({ text: "x" }))).toBe(true);
  expect(isNarrowed(schema, schema.parse({ state: "all" }))).toBe(true);
});

test("a page beyond the end is the last one, and an empty list has one page", () => {
  const hundred = Array.from({ length: 120 }, (_, i) => i);
  expect(cutPage(hundred, 2, 500)).toMatchObject({ page: 2, pages: 3, first: 51, total: 120, all: 500 });
  expect(cutPage(hundred, 99, 120)).toMatchObject({ page: 3, first: 101, items: hundred.slice(100) });
  expect(cutPage([], 4, 7)).toEqual({ items: [], page: 1, pages: 1, first: 0, total: 0, all: 7 });
});

test("every word has to be somewhere, in any order and case", () => {
  expect(containsWords("DB nightly", ["Nightly", null, "db"])).toBe(true);
  expect(containsWords("db weekly", ["Nightly", "db"])).toBe(false);
  expect(containsWords("", [])).toBe(true);
});
