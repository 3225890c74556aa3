import { describe, expect, it } from "vitest";
import { mountOf, parseMountInfo } from "@/server/worker/volumes/mount-table";

const text = `27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
45 27 7:3 / /srv/still\\040frame/\\134x rw,relatime shared:12 master:1 - xfs /dev/loop3 rw
46 27 7:3 /sub /srv/bind ro - xfs /dev/loop3 rw
47 27 0:44 / /srv/schön rw - tmpfs tmpfs rw
`;

describe("the mount table", () => {
  const mounts = parseMountInfo(text);
  it("is read with its escapes, optional fields and other alphabets", () => {
    expect(mounts.map((m) => m.mountPoint)).toEqual(["/", "/srv/still frame/\\x", "/srv/bind", "/srv/schön"]);
    expect(mounts[1]).toMatchObject({ device: "7:3", root: "/", fsType: "xfs", source: "/dev/loop3" });
    expect(mounts[2]).toMatchObject({ root: "/sub", options: ["ro"] });
  });
  it("finds the innermost mount that holds a path", () => {
    expect(mountOf(mounts, "/srv/schön/a")?.fsType).toBe("tmpfs");
    expect(mountOf(mounts, "/srv/schönes")?.mountPoint).toBe("/");
  });
});
