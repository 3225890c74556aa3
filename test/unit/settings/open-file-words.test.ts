import { expect, test } from "vitest";
import { lengthWords, quietWords } from "@/server/core/settings/open-file-words";

test("a length has no last part that is nothing", () => {
  expect([250, 5000, 5500, 60_000, 90_000, 3_600_000].map(lengthWords)).toEqual([
    "250 ms",
    "5 s",
    "5.5 s",
    "1 min",
    "1 min 30 s",
    "1 h",
  ]);
  expect(quietWords(0)).toBe("do not wait");
});
