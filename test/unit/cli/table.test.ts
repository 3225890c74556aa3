import { expect, test } from "vitest";
import { formatTable } from "@/server/cli/output/table";

const columns = [
  { title: "NAME", value: (row: { name: string; size: string }) => row.name },
  { title: "SIZE", value: (row: { name: string; size: string }) => row.size, right: true },
];

test("columns are aligned: words to the left, numbers to the right", () => {
  const rows = [
    { name: "alpha", size: "1.0 GiB" },
    { name: "b", size: "64 B" },
  ];
  expect(formatTable(rows, columns)).toBe("NAME      SIZE\nalpha  1.0 GiB\nb         64 B");
});

test("wide letters take two columns, combining marks none", () => {
  const rows = [
    { name: "日本", size: "1 B" },
    { name: "abcd", size: "1 B" },
    { name: "e\u0301fgh", size: "1 B" },
  ];
  const widths = formatTable(rows, columns)
    .split("\n")
    .slice(1)
    .map((line) => line.indexOf("1 B"));
  expect(widths).toEqual([5, 7, 8]);
});
