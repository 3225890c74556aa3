import { expect, it } from "vitest";
import { formatCount } from "@/server/core/text/count";

it.each([
  [0, "0"],
  [999, "999"],
  [1204, "1,204"],
  [1_234_567, "1,234,567"],
])("%i is written %s", (count, text) => expect(formatCount(count)).toBe(text));
