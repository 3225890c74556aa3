import { describe, expect, it } from "vitest";
import { effectiveMode, groupsOf } from "@/server/core/planning/groups";
import { directoryOf, pathsByVolume, wholeVolumes, widestPaths } from "@/server/core/planning/selection";

describe("mode of a job", () => {
  it("is the job's own if it has one, else the global one", () => {
    expect(effectiveMode("inherit", true)).toBe("oneAtATime");
    expect(effectiveMode("inherit", false)).toBe("allAtOnce");
    expect(effectiveMode("off", true)).toBe("allAtOnce");
    expect(effectiveMode("on", false)).toBe("oneAtATime");
  });

  it("makes one group of all volumes, or one of each", () => {
    expect(groupsOf("allAtOnce", ["a", "b"])).toEqual([["a", "b"]]);
    expect(groupsOf("oneAtATime", ["a", "b", "a"])).toEqual([["a"], ["b"]]);
  });
});

describe("selected paths", () => {
  const volumes = [
    { name: "root", mount: "/srv" },
    { name: "inner", mount: "/srv/data" },
  ];
  it("mean the whole of each volume when there are none", () => {
    expect(pathsByVolume(volumes, []).paths).toEqual({ root: ["/srv"], inner: ["/srv/data"] });
  });
  it("belong to the innermost volume that holds them", () => {
    const split = pathsByVolume(volumes, ["/srv/data/ä b/", "/srv/database", "/etc"]);
    expect(split.paths).toEqual({ root: ["/srv/database"], inner: ["/srv/data/ä b"] });
    expect(split.elsewhere).toEqual(["/etc"]);
  });
});

describe("paths to ignore", () => {
  it("are the widest: what lies below another adds nothing", () => {
    expect(widestPaths(["/a/b", "/c", "/a", "/c", "/ab"])).toEqual(["/c", "/a", "/ab"]);
    expect(["/a/b", "/a", "/"].map(directoryOf)).toEqual(["/a", "/", "/"]);
  });
  it("are a volume as a whole only where they are its root", () => {
    const volumes = [
      { name: "outer", mount: "/srv" },
      { name: "inner", mount: "/srv/data" },
      { name: "raw", mount: null },
    ];
    const named = (...paths: string[]) => wholeVolumes(paths, volumes).map(({ name }) => name);
    expect(named("/", "/srv/data/log", "/srv/database", "/srv/dat")).toEqual([]);
    expect(named("/srv//data/")).toEqual(["inner"]);
    expect(named("/srv", "/srv/data")).toEqual(["outer", "inner"]);
  });
});
