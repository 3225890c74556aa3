/** What the freeze helper reports, and what it refuses before it freezes anything. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { mustRun } from "@/server/worker/programs/run-program";
import { AttachedVolume, MIB, makeImage, mount, scratchDirectory, smallestBytes } from "../fixtures/attached-volume";
import { cleanupAfterEach } from "../fixtures/cleanup";
import { type FreezeRequest, freezeGroup, freezeRequest, mustFreeze } from "../fixtures/freeze-program";

const cleanup = cleanupAfterEach();
let directory: string;
let volume: AttachedVolume;

beforeEach(async () => {
  directory = await scratchDirectory(cleanup);
  volume = await AttachedVolume.attach(cleanup, directory, "daten ä", smallestBytes.ext4);
  await volume.mountNew("ext4");
});

/** Refused with these words, and the volume can be written to. */
async function mustRefuse(request: FreezeRequest | string, words: RegExp, cwd?: string): Promise<void> {
  const { report, exitCode } = await freezeGroup(request, cwd);
  expect(exitCode).toBe(1);
  expect(report).toMatchObject({ ok: false, kind: "refused", message: expect.stringMatching(words) });
  await mustRun("dd", ["if=/dev/zero", `of=${join(volume.mountPoint, "w")}`, "bs=4k", "count=1", "conv=fsync"]);
}

describe("a group that was taken", () => {
  it("is reported with its instant, its times and the free blocks that were skipped", async () => {
    await volume.prepare("s1");
    const before = Date.now();
    const report = await mustFreeze([volume], "s1");
    expect(report.spreadMs).toBe(0);
    expect(report.frozenMs).toBeLessThan(5000);
    const [taken] = report.volumes;
    expect(taken).toMatchObject({ name: "daten ä", snapshot: "s1" });
    expect(Date.parse(taken?.takenAt ?? "")).toBeGreaterThanOrEqual(before - 1);
    expect(taken?.freeBlocks).toBeGreaterThan(10_000);
    for (const time of [taken?.syncMs, taken?.freezeMs, taken?.frozenMs, taken?.thawMs]) {
      expect(time).toBeGreaterThanOrEqual(0);
    }
    expect((await volume.snapshotReport("s1"))?.takenAt).toBe(taken?.takenAt);
  });

  it("may hold a file system that lies in a file of another one of the group", async () => {
    await volume.prepare("s1");
    const image = await makeImage(join(volume.mountPoint, "inner.img"), 32 * MIB);
    const runDirectory = join(directory, "inner.run");
    const inner = await AttachedVolume.adopt(cleanup, directory, "a-inner", image, runDirectory);
    await inner.mountNew("ext4");
    await inner.prepare("s1");
    const { volumes } = await mustFreeze([volume, inner], "s1");
    expect(volumes.map((one) => one.name)).toEqual(["a-inner", "daten ä"]);
  });
});

describe("the freeze helper refuses", () => {
  const one = (): FreezeRequest["volumes"][number] => ({
    name: volume.name,
    mount: volume.mountPoint,
    socket: volume.attached.socket,
    snapshot: "s1",
  });

  it("a request that is not one, naming the field", async () => {
    await mustRefuse("\n", /not JSON/);
    await mustRefuse('{"volumes":[]}\n', /^volumes must name/);
    await mustRefuse({ deadlineMs: 0, volumes: [one()] }, /^deadlineMs must be/);
    await mustRefuse({ volumes: [{ ...one(), snapshot: "" }] }, /^volumes\[0\]\.snapshot/);
    await mustRefuse({ volumes: [one(), one()] }, /^volumes\[1\]\.name is named twice/);
  });

  it("a path that is no mount point, or is missing", async () => {
    await volume.prepare("s1");
    await mustRefuse({ volumes: [{ ...one(), mount: directory }] }, /^volumes\[0\]\.mount .*not a mount point/);
    await mustRefuse({ volumes: [{ ...one(), mount: "/does not exist" }] }, /^volumes\[0\]\.mount .*No such file/);
  });

  it("one file system under two mount points", async () => {
    await volume.prepare("s1");
    const twin = join(directory, "twin");
    await mount(cleanup, volume.device, twin);
    const second = { ...one(), name: "twin", mount: twin, socket: join(directory, "not reached.sock") };
    await mustRefuse(
      { volumes: [one(), second] },
      /volumes\[1\]\.mount is the same file system as volumes\[0\]\.mount/,
    );
  });

  it("a snapshot that was not prepared, or is active already", async () => {
    await mustRefuse(freezeRequest([volume], "never"), /knows no snapshot never/);
    await volume.prepare("s1");
    await volume.activate("s1");
    await mustRefuse(freezeRequest([volume], "s1"), /is active, not prepared/);
  });

  it("a group that holds a cache of the group", async () => {
    const image = await makeImage(join(directory, "caches.img"), 64 * MIB);
    await mustRun("mkfs.ext4", ["-q", "-F", image]);
    const caches = join(directory, "caches");
    await mount(cleanup, image, caches, "loop");
    await volume.prepare("s1", { cacheDirectory: join(caches, "cache") });
    await mustRefuse({ volumes: [{ ...one(), mount: caches }] }, /holds the cache of daten ä/);
    await volume.release("s1");
  });

  it("a group that holds its working directory", async () => {
    await volume.prepare("s1");
    const inside = join(volume.mountPoint, "inside");
    await mkdir(inside);
    await mustRefuse(freezeRequest([volume], "s1"), /holds this program's working directory/, inside);
  });

  it("with another kind, a volume whose engine is not there", async () => {
    const { report } = await freezeGroup({ volumes: [{ ...one(), socket: join(directory, "nobody.sock") }] });
    expect(report).toMatchObject({ ok: false, kind: "activate", mount: volume.name });
  });
});
