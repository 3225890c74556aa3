import { describe, expect, it } from "vitest";
import { type CandidateLocation, chooseCaches } from "@/server/core/planning/cache-choice";
import { otherVolumeRule, sizeCache, snappedVolumeRule } from "@/server/core/planning/cache-sizing";
import { forecastCache } from "@/server/core/planning/forecast";

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const rule = { initialBytes: null, maxBytes: null };
const location = (over: Partial<CandidateLocation> = {}): CandidateLocation => ({
  path: "/c",
  exists: true,
  writable: true,
  freeBytes: 10 * GIB,
  reservedBytes: 0,
  engineVolume: null,
  ...over,
});
const volumes = [
  { name: "a", sizeBytes: 2 * GIB },
  { name: "b", sizeBytes: GIB },
];

describe("cache size", () => {
  it("follows the original's two rules, with their floor of 50 MB", () => {
    expect(snappedVolumeRule({ usedBytes: 10 * GIB, freeBytes: 2 * GIB })).toBe(Math.floor(1.8 * GIB));
    expect(snappedVolumeRule({ usedBytes: 4 * GIB, freeBytes: 20 * GIB })).toBe(Math.floor(1.2 * GIB));
    expect(snappedVolumeRule({ usedBytes: MIB, freeBytes: GIB })).toBe(50 * MIB);
    expect(otherVolumeRule(10 * GIB)).toBe(3 * GIB);
    expect(otherVolumeRule(100 * MIB)).toBe(50 * MIB);
  });

  it("takes the job's own sizes as they are", () => {
    const size = sizeCache(
      { initialBytes: 4 * MIB, maxBytes: 8 * MIB },
      { freeBytes: 10 * GIB, sharers: 1, volumeBytes: GIB },
    );
    expect(size).toEqual({ initialBytes: 4 * MIB, maxBytes: 8 * MIB });
  });

  it("is never larger than the volume, and several caches leave a tenth of the location free", () => {
    expect(sizeCache(rule, { freeBytes: 100 * GIB, sharers: 1, volumeBytes: GIB }).maxBytes).toBe(GIB);
    const each = sizeCache(rule, { freeBytes: 10 * GIB, sharers: 9, volumeBytes: 100 * GIB }).maxBytes;
    expect(each * 9).toBeLessThanOrEqual(9 * GIB);
  });
});

describe("cache broker", () => {
  it("never puts a cache on a volume of the same group, nor on one that an engine serves", () => {
    const choice = chooseCaches(
      volumes,
      [location({ path: "/on-a", engineVolume: "a" }), location({ path: "/on-z", engineVolume: "z" })],
      rule,
    );
    expect(choice.ok).toBe(false);
    expect(choice.locations.map((l) => l.turnedDown)).toEqual([
      'it lies on "a", a volume of the same group',
      'it lies on "z", which an engine serves',
    ]);
  });

  it("wants room for the sum of the group, so that one at a time can fit where all at once does not", () => {
    const sized = { initialBytes: null, maxBytes: 200 * MIB };
    const small = [location({ freeBytes: 300 * MIB })];
    const all = chooseCaches(volumes, small, sized);
    expect(all.ok).toBe(false);
    expect(all.locations[0]).toMatchObject({ neededBytes: 400 * MIB });
    expect(all.locations[0]?.turnedDown).toContain("needs");
    expect(chooseCaches(volumes.slice(0, 1), small, sized).ok).toBe(true);
  });

  it("spreads a group over two locations when neither holds all of it", () => {
    const choice = chooseCaches(
      volumes,
      [location({ path: "/c1", freeBytes: 300 * MIB }), location({ path: "/c2", freeBytes: 250 * MIB })],
      { initialBytes: null, maxBytes: 200 * MIB },
    );
    expect(choice.ok && choice.placements.map((p) => p.location)).toEqual(["/c1", "/c2"]);
  });

  it("lets a cache spill over to the other fit locations, never to a volume of the group", () => {
    const locations = [
      location({ path: "/c1", freeBytes: 20 * GIB }),
      location({ path: "/on-a", freeBytes: 90 * GIB, engineVolume: "a" }),
      location({ path: "/c2", freeBytes: GIB }),
      location({ path: "/c3", freeBytes: 4 * GIB }),
      location({ path: "/full", freeBytes: 10 * MIB }),
    ];
    const choice = chooseCaches(volumes.slice(0, 1), locations, rule);
    expect(choice.ok && choice.placements[0]).toMatchObject({
      location: "/c1",
      spill: [
        { location: "/c3", maxBytes: otherVolumeRule(4 * GIB) },
        { location: "/c2", maxBytes: otherVolumeRule(GIB) },
      ],
    });
    const limited = chooseCaches(volumes.slice(0, 1), locations, { initialBytes: null, maxBytes: GIB });
    expect(limited.ok && limited.placements[0]?.spill).toEqual([]);
  });

  it("says so when a location is missing or not writable", () => {
    const choice = chooseCaches(
      volumes,
      [location({ exists: false }), location({ path: "/d", writable: false })],
      rule,
    );
    expect(choice.locations.map((l) => l.turnedDown)).toEqual([
      "the directory does not exist",
      "the directory is not writable",
    ]);
  });
});

describe("forecast", () => {
  it("adds all caches up all at once, and takes the largest one at a time", () => {
    const forecast = forecastCache(
      [
        { name: "a", sizeBytes: 20 * GIB, usedBytes: 10 * GIB },
        { name: "b", sizeBytes: 20 * GIB, usedBytes: 2 * GIB },
      ],
      rule,
    );
    expect(forecast.needAllAtOnceBytes).toBe(3 * GIB + Math.floor(0.6 * GIB));
    expect(forecast.needOneAtATimeBytes).toBe(3 * GIB);
  });
});
