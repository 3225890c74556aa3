import { expect, test } from "vitest";
import { formatDuration } from "@/server/core/text/duration";

test.each([
  [0, "0.0 ms"],
  [0.42, "0.4 ms"],
  [850, "850 ms"],
  [8_500, "8.5 s"],
  [59_400, "59 s"],
  [835_000, "13 min 55 s"],
  [3_600_000, "1 h 0 min"],
])("%d milliseconds are shown as %s", (milliseconds, text) => expect(formatDuration(milliseconds)).toBe(text));
