import { expect, test } from "vitest";
import { toCsv } from "@/server/core/text/csv";

test("commas, quotes and lines are quoted; an empty cell is empty", () => {
  expect(toCsv([["a,b", 'say "no"', "two\nlines", null, 7]])).toBe('"a,b","say ""no""","two\nlines",,7\r\n');
});

test("a spreadsheet takes no cell for a formula", () => {
  expect(toCsv([["=1+1", "-cmd", "@sum", "plain"]])).toBe("'=1+1,'-cmd,'@sum,plain\r\n");
});
