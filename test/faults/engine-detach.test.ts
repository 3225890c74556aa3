/** Attach refuses what cannot work; detach leaves nothing, whatever state it finds. */
import { once } from "node:events";
import { existsSync } from "node:fs";
import { open, readdir, readFile, writeFile } from "node:fs/promises";
import { createConnection } from "node:net";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { mustRun } from "@/server/worker/programs/run-program";
import {
  AttachedVolume,
  blockDevice,
  MIB,
  makeFileSystem,
  makeImage,
  mount,
  scratchDirectory,
  unmount,
} from "../fixtures/attached-volume";
import { cleanupAfterEach } from "../fixtures/cleanup";
import { keeperAfter } from "../fixtures/engine-process";
import { type EngineAnswer, engineCommand, mustEngineCommand, pause } from "../fixtures/native-program";

const cleanup = cleanupAfterEach();
let directory: string;

beforeEach(async () => {
  directory = await scratchDirectory(cleanup);
});

const detach = (volume: AttachedVolume, ...more: string[]) =>
  engineCommand("detach", "--run-dir", volume.runDirectory, ...more);

function attach(backing: string, runDirectory = join(directory, "new.run")): Promise<EngineAnswer> {
  cleanup.add("detach", () => mustEngineCommand("detach", "--run-dir", runDirectory, "--force"));
  return engineCommand("attach", "--id", "new", "--backing", backing, "--run-dir", runDirectory);
}

/** Processes whose command line names this test's directory. */
async function processes(): Promise<string[]> {
  const found: string[] = [];
  for (const pid of await readdir("/proc")) {
    const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
    if (line.includes(directory) && Number(pid) !== process.pid && !/\) Z /.test(stat)) found.push(`${pid} ${line}`);
  }
  return found;
}

/** No process, mount, loop device or file of the volume's is left, and its data is. */
async function mustHaveLeftNothing(volume: AttachedVolume): Promise<void> {
  for (let tries = 0; tries < 20 && (await processes()).length > 0; tries += 1) await pause(50);
  expect(await processes()).toEqual([]);
  expect(await readFile("/proc/self/mountinfo", "utf8")).not.toContain(directory.replaceAll(" ", "\\040"));
  expect(await mustRun("losetup", ["--list", "--noheadings", "--output", "BACK-FILE"])).not.toContain(directory);
  const left = existsSync(volume.runDirectory) ? await readdir(volume.runDirectory) : [];
  expect(left.filter((name) => name !== "engine.log")).toEqual([]);
  expect(existsSync(volume.image)).toBe(true);
  const free = await attach(volume.image, join(directory, "again.run"));
  expect(free.exitCode, free.stdout + free.stderr).toBe(0);
}

async function killKeeper(volume: AttachedVolume): Promise<void> {
  process.kill(volume.attached.keeperPid, "SIGKILL");
  await pause(200);
}

/** What it returns has the engine go on. */
async function hang(volume: AttachedVolume): Promise<() => void> {
  const engine = await volume.enginePid();
  process.kill(engine, "SIGSTOP");
  cleanup.add("kill the engine that hangs", () => {
    try {
      process.kill(engine, "SIGKILL");
    } catch {
      // detach did it
    }
  });
  return () => void process.kill(engine, "SIGCONT");
}

describe("detach", () => {
  it("is refused while a program has the live device open, and the device stays when that closes it", async () => {
    const volume = await AttachedVolume.attach(cleanup, directory, "vol", 16 * MIB);
    const program = await open(volume.device, "r");
    const { exitCode, document } = await detach(volume);
    await program.close();
    expect(exitCode).toBe(1);
    expect(document.error).toMatchObject({ kind: "busy", message: expect.stringMatching(/still open in another/) });
    await pause(100);
    await volume.mountNew("ext4");
    expect((await volume.describe()).id).toBe("vol");
  });

  it("leaves nothing, and the image holds what was written", async () => {
    const volume = await AttachedVolume.attach(cleanup, directory, "vol", 16 * MIB);
    await makeFileSystem(volume.device, "ext4");
    const at = join(directory, "at");
    await mount(cleanup, volume.device, at);
    await writeFile(join(at, "kept"), "content");
    await unmount(at);
    expect((await detach(volume)).exitCode).toBe(0);
    await mount(cleanup, volume.image, at, "loop");
    expect(await readFile(join(at, "kept"), "utf8")).toBe("content");
    await unmount(at);
    await mustHaveLeftNothing(volume);
  });

  it("may be repeated, and asked of a directory that never was", async () => {
    const volume = await AttachedVolume.attach(cleanup, directory, "vol", 16 * MIB);
    for (let times = 0; times < 3; times += 1) expect((await detach(volume)).exitCode).toBe(0);
    expect((await engineCommand("detach", "--run-dir", join(directory, "never.run"))).exitCode).toBe(0);
    await mustHaveLeftNothing(volume);
  });

  it("refuses a mounted volume, says so, and changes nothing", async () => {
    const volume = await AttachedVolume.attach(cleanup, directory, "vol", 16 * MIB);
    const at = await volume.mountNew("ext4");
    const refused = await detach(volume);
    expect(refused.exitCode).toBe(1);
    expect(refused.document.error).toMatchObject({ kind: "busy", message: expect.stringMatching(/mounted/) });
    await writeFile(join(at, "still"), "writable");
    await mustRun("sync", ["-f", at]);
    expect((await volume.describe()).id).toBe("vol");
  });

  it("refuses while a snapshot is open, and with --force takes it along with its cache", async () => {
    const volume = await AttachedVolume.attach(cleanup, directory, "vol", 16 * MIB);
    await volume.prepare("s1", { skipFreeBlocks: false });
    await volume.activate("s1");
    const refused = await detach(volume);
    expect(refused.exitCode).toBe(1);
    expect(refused.document.error).toMatchObject({ kind: "busy" });
    expect((await detach(volume, "--force")).exitCode).toBe(0);
    expect(await readdir(join(directory, "cache"))).toEqual([]);
    await mustHaveLeftNothing(volume);
  });

  it.each([
    ["the engine was killed", async (volume: AttachedVolume) => process.kill(await volume.enginePid(), "SIGKILL")],
    ["the keeper was killed", killKeeper],
    [
      "engine and keeper were stopped and killed",
      async (volume: AttachedVolume) => {
        const engine = await volume.enginePid();
        process.kill(volume.attached.keeperPid, "SIGSTOP");
        process.kill(engine, "SIGKILL");
        await killKeeper(volume);
      },
    ],
    ["the engine hangs", (volume: AttachedVolume) => hang(volume).then(() => {})],
    ["its socket was deleted", (volume: AttachedVolume) => mustRun("rm", [volume.attached.socket])],
    ["its loop device was taken away", (volume: AttachedVolume) => mustRun("losetup", ["-d", volume.device])],
  ])("leaves nothing when %s", async (_state, bringAbout) => {
    const volume = await AttachedVolume.attach(cleanup, directory, "vol", 16 * MIB);
    await bringAbout(volume);
    const done = await detach(volume, "--force");
    expect(done.exitCode, done.stdout + done.stderr).toBe(0);
    await mustHaveLeftNothing(volume);
  });

  it.each([
    ["hangs", hang],
    [
      "has no connection left for it",
      async (volume: AttachedVolume) => {
        const sockets = Array.from({ length: 64 }, () => createConnection(volume.attached.socket));
        await Promise.all(sockets.map((socket) => once(socket, "connect")));
        await pause(200);
        return () => sockets.forEach((socket) => void socket.destroy());
      },
    ],
  ])("is refused while the engine %s, as attaching is, and its snapshot stays", async (_state, bringAbout) => {
    const volume = await AttachedVolume.attach(cleanup, directory, "vol", 16 * MIB);
    await volume.prepare("s1", { skipFreeBlocks: false });
    await volume.activate("s1");
    const end = await bringAbout(volume);
    const attaching = ["--id", "vol", "--backing", volume.image, "--run-dir", volume.runDirectory];
    for (const { exitCode, document } of [await detach(volume), await engineCommand("attach", ...attaching)]) {
      expect(exitCode).toBe(1);
      const message = expect.stringMatching(/does not answer.*--force/);
      expect(document.error).toMatchObject({ kind: "busy", message });
    }
    end();
    expect(await volume.snapshotReport("s1")).toMatchObject({ state: "active" });
    expect((await detach(volume, "--force")).exitCode).toBe(0);
    await mustHaveLeftNothing(volume);
  });

  it("leaves nothing when an exported image is still open and the keeper was killed", async () => {
    const volume = await AttachedVolume.attach(cleanup, directory, "vol", 16 * MIB);
    await volume.prepare("s1", { skipFreeBlocks: false });
    await volume.activate("s1");
    await mustEngineCommand("export", "--run-dir", volume.runDirectory, "--snapshot", "s1");
    await killKeeper(volume);
    expect((await detach(volume, "--force")).exitCode).toBe(0);
    await mustHaveLeftNothing(volume);
  });
});

describe("attach", () => {
  it("is the same again for a volume that is attached in the same place", async () => {
    const volume = await AttachedVolume.attach(cleanup, directory, "vol", 16 * MIB);
    const args = ["--id", "vol", "--backing", volume.image, "--run-dir", volume.runDirectory];
    expect(await mustEngineCommand("attach", ...args)).toEqual(volume.attached);
  });

  it("takes names with spaces and letters of any language", async () => {
    const odd = await scratchDirectory(cleanup);
    const volume = await AttachedVolume.attach(cleanup, odd, "größe Δ 音", 32 * MIB);
    const at = await volume.mountNew("ext4");
    await writeFile(join(at, "x"), "y");
    await volume.prepare("s1");
    await volume.activate("s1");
    expect(await volume.export("s1")).toMatch(/^\/dev\/loop/);
    expect((await volume.describe()).backing).toBe(volume.image);
  });

  async function mustRefuse(answer: Promise<EngineAnswer>, kind: string, words: RegExp): Promise<void> {
    const { exitCode, document, stdout } = await answer;
    expect(exitCode, stdout).toBe(1);
    expect(document.error).toMatchObject({ kind, message: expect.stringMatching(words) });
    expect(existsSync(join(directory, "new.run", "fuse"))).toBe(false);
    expect(await processes()).toEqual([]);
  }

  it("refuses an image that is missing", () =>
    mustRefuse(attach(join(directory, "missing.img")), "notFound", /missing\.img/));

  it("refuses an image below 1 MiB", async () =>
    mustRefuse(attach(await makeImage(join(directory, "small.img"), MIB - 4096)), "invalid", /small/));

  it("refuses a directory", () => mustRefuse(attach(directory), "invalid", /./));

  it("refuses an image that is mounted another way", async () => {
    const image = await makeImage(join(directory, "elsewhere.img"), 16 * MIB);
    await makeFileSystem(image, "ext4");
    const at = join(directory, "elsewhere");
    await mount(cleanup, image, at, "loop");
    await mustRefuse(attach(image), "busy", /./);
    await writeFile(join(at, "x"), "unharmed");
  });

  it("refuses a block device that is mounted", async () => {
    const device = await blockDevice(cleanup, join(directory, "device.img"), 16 * MIB);
    await makeFileSystem(device, "ext4");
    await mount(cleanup, device, join(directory, "elsewhere"));
    await mustRefuse(attach(device), "busy", /./);
  });

  it("refuses an image that is attached already, and leaves that volume alone", async () => {
    const volume = await AttachedVolume.attach(cleanup, directory, "vol", 16 * MIB);
    const { exitCode, document } = await attach(volume.image);
    expect(exitCode).toBe(1);
    expect(document.error).toMatchObject({ kind: "busy" });
    expect((await volume.describe()).id).toBe("vol");
  });

  it("says what is wrong with its arguments, with the exit code of wrong usage", async () => {
    expect((await engineCommand("attach", "--id", "x")).exitCode).toBe(2);
    expect((await engineCommand("no-such-command")).exitCode).toBe(2);
  });

  it("works on a block device", async () => {
    const device = await blockDevice(cleanup, join(directory, "device.img"), 16 * MIB);
    const volume = await AttachedVolume.adopt(cleanup, directory, "dev", device, join(directory, "dev.run"));
    await volume.mountNew("ext4");
    expect((await volume.describe()).sizeBytes).toBe(16 * MIB);
  });
});

/** A host that goes down unmounts, then sends SIGTERM to every process that is left, and waits for their end: systemd for 90 s. */
describe("SIGTERM", () => {
  async function askAllToEnd(volume: AttachedVolume): Promise<void> {
    process.kill(volume.attached.keeperPid, "SIGTERM");
    process.kill(await volume.enginePid(), "SIGTERM");
  }

  it("takes down within seconds a volume that nothing uses, with its open snapshot and that one's device", async () => {
    const volume = await AttachedVolume.attach(cleanup, directory, "vol", 16 * MIB);
    const at = await volume.mountNew("ext4");
    await writeFile(join(at, "kept"), "content");
    await volume.prepare("s1");
    await volume.activate("s1");
    await mustEngineCommand("export", "--run-dir", volume.runDirectory, "--snapshot", "s1");
    await writeFile(join(at, "kept"), "changed");
    await unmount(at);
    await askAllToEnd(volume);
    for (let tries = 0; tries < 100 && (await processes()).length > 0; tries += 1) await pause(50);
    await mustHaveLeftNothing(volume);
    expect(await readdir(join(directory, "cache"))).toEqual([]);
  });

  it("changes nothing of a volume that is mounted, nor of its snapshot, and is heard again once it is not", async () => {
    const volume = await AttachedVolume.attach(cleanup, directory, "vol", 16 * MIB);
    const at = await volume.mountNew("ext4");
    await volume.prepare("s1");
    await volume.activate("s1");
    await askAllToEnd(volume);
    await pause(1500);
    await writeFile(join(at, "after"), "content");
    expect(await readFile(join(at, "after"), "utf8")).toBe("content");
    expect(await volume.snapshotReport("s1")).toMatchObject({ state: "active" });
    await unmount(at);
    await askAllToEnd(volume);
    for (let tries = 0; tries < 100 && (await processes()).length > 0; tries += 1) await pause(50);
    await mustHaveLeftNothing(volume);
  });

  it("is heard by a keeper that took the place of one that was killed", async () => {
    const volume = await AttachedVolume.attach(cleanup, directory, "vol", 16 * MIB);
    process.kill(volume.attached.keeperPid, "SIGKILL");
    // As soon as it is known: it may still be about to make itself at home.
    process.kill(await keeperAfter(volume.runDirectory, volume.attached.keeperPid), "SIGTERM");
    for (let tries = 0; tries < 100 && existsSync(volume.attached.socket); tries += 1) await pause(50);
    await mustHaveLeftNothing(volume);
  });
});
