import { describe, expect, it } from "vitest";
import { type ForeignWrite, nearClaims, wrongClaims } from "../../soak/ignored/claims";

const write = (begun: number, ended: number, volume = "a"): ForeignWrite => ({ volume, way: "direct", begun, ended });
const claim = { volume: "a", from: 1000, to: 1500, lateMs: 100 };

describe("a window that was claimed quiet", () => {
  it("is wrong where a write to its volume lies wholly inside what its reports can have told", () => {
    const wrong = (...writes: ForeignWrite[]) => wrongClaims([claim], writes).length;
    expect(wrong(write(1010, 1390), write(1399, 1400))).toBe(2);
    // Begun before, not ended, as late as a report may be, or on another volume.
    expect(wrong(write(1001, 1200), write(1300, 1600), write(1401, 1402), write(1100, 1200, "b"))).toBe(0);
  });

  it("says something where somebody wrote shortly before", () => {
    expect(nearClaims([claim], [write(400, 990)])).toMatchObject({ direct: 1, mapped: 0 });
    expect(nearClaims([claim], [write(0, 0), write(900, 1100), write(400, 990, "b")])).toMatchObject({ direct: 0 });
  });
});
