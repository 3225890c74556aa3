import { expect, it } from "vitest";
import { mergeWriters } from "@/server/worker/quiet/writers";

it("who was seen to write comes before who only can, with paths once and without ignored ones", () => {
  const seen = [
    { pid: 7, command: "few", changes: 2, paths: [["/v/a", 2]] as [string, number][] },
    { pid: 8, command: "many", changes: 90, paths: [["/v/b", 90]] as [string, number][] },
  ];
  const open = [
    { pid: 8, command: "many", writes: null, paths: ["/v/b", "/v/c", "/v/log/x"] },
    { pid: 9, command: "maps", writes: null, paths: ["/v/d"] },
    { pid: 10, command: "logs", writes: null, paths: ["/v/log/y"] },
  ];
  expect(mergeWriters(seen, open, (path) => path.startsWith("/v/log/"))).toEqual([
    { pid: 8, command: "many", writes: 90, paths: ["/v/b", "/v/c"] },
    { pid: 7, command: "few", writes: 2, paths: ["/v/a"] },
    { pid: 9, command: "maps", writes: null, paths: ["/v/d"] },
  ]);
});

it("at most twenty processes are named, with twenty paths each", () => {
  const paths = Array.from({ length: 30 }, (_, n) => `/v/${n}`);
  const open = Array.from({ length: 30 }, (_, n) => ({ pid: n + 1, command: "c", writes: null, paths }));
  const merged = mergeWriters([], open, () => false);
  expect([merged.length, merged[0]?.paths.length]).toEqual([20, 20]);
});
