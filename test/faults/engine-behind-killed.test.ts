/** On a disk reads and writes go on behind the engine's threads. None of a killed engine lands once the next one serves. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { beforeEach, expect, it } from "vitest";
import { mustRun } from "@/server/worker/programs/run-program";
import { AttachedVolume, blockDevice, MIB, scratchDirectory } from "../fixtures/attached-volume";
import { BackgroundProgram } from "../fixtures/background-program";
import { cleanupAfterEach } from "../fixtures/cleanup";
import { hashOf } from "../fixtures/device-hash";
import { engineAfter, keeperOf } from "../fixtures/engine-process";
import { mustEngineCommand, pause } from "../fixtures/native-program";

/** The memory of request buffers, whose lock an engine holds until nothing of it can land: `descriptors.rs`. */
const BUFFERS = 104;
const A_WHILE_MS = 1000;

const cleanup = cleanupAfterEach();
let directory: string;

beforeEach(async () => {
  directory = await scratchDirectory(cleanup);
});

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 2000; tries += 1) {
    if (holds()) return;
    await pause(10);
  }
  throw new Error(`still not so: ${what}`);
}

const stillWaits = (promise: Promise<unknown>, ms: number) =>
  Promise.race([promise.then(() => false), pause(ms).then(() => true)]);

const writesInFlight = (device: string) =>
  Number(
    readFileSync(`/sys/block/${basename(device)}/inflight`, "utf8")
      .trim()
      .split(/\s+/)[1],
  );

/** The process beside an engine that waits for its I/O when it is dead. */
function undertakerOf(engine: number): number {
  const isIt = (pid: string) => {
    const file = `/proc/${pid}/status`;
    const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
    return lines.includes("Name:\tundertaker") && lines.includes(`PPid:\t${engine}`);
  };
  const found = readdirSync("/proc").find((name) => /^\d+$/.test(name) && isIt(name));
  if (found === undefined) throw new Error(`engine ${engine} has no undertaker`);
  return Number(found);
}

it.each([
  ["a large write", "1M", []],
  ["a small write, which goes on behind its thread,", "4k", []],
  ["a small write, though its undertaker is killed as well,", "4k", [undertakerOf]],
])("waits for %s that the disk has of the killed one, and only then serves", async (_, size, alsoKilled) => {
  // A disk that can be made to stand still: the live device of another volume, whose engine is stopped.
  const disk = await AttachedVolume.attach(cleanup, directory, "disk", 32 * MIB);
  const ofDisk = await disk.enginePid();
  const run = join(directory, "vol.run");
  const volume = await AttachedVolume.adopt(cleanup, directory, "vol", disk.device, run);
  const killed = await volume.enginePid();
  cleanup.add("let the disk go on", () => process.kill(ofDisk, "SIGCONT"));
  process.kill(ofDisk, "SIGSTOP");
  const write = new BackgroundProgram(cleanup, "bash", [
    "-c",
    `head -c 1M /dev/zero | tr '\\0' 'a' | dd of="$1" bs="$2" iflag=fullblock oflag=direct status=none`,
    "write",
    volume.device,
    size,
  ]);
  await until("the disk has the write", () => writesInFlight(disk.device) > 0);
  for (const other of alsoKilled) process.kill(other(killed), "SIGKILL");
  process.kill(killed, "SIGKILL");
  const next = engineAfter(volume.runDirectory, killed);
  expect(await stillWaits(next, A_WHILE_MS)).toBe(true);
  expect(write.running).toBe(true);
  process.kill(ofDisk, "SIGCONT");
  expect(await next).not.toBe(killed);
  await write.mustSucceed();
  expect(readFileSync(disk.image).subarray(0, MIB).equals(Buffer.alloc(MIB, "a"))).toBe(true);
});

it("waits while anything of the killed one's memory is left, where its I/O may go on", async () => {
  const device = await blockDevice(cleanup, join(directory, "vol.img"), 16 * MIB);
  const volume = await AttachedVolume.adopt(cleanup, directory, "vol", device, join(directory, "vol.run"));
  const killed = await volume.enginePid();
  // Whoever has the lock next stands for a part of the killed one that is not gone yet.
  const left = join(directory, "left");
  const holder = new BackgroundProgram(cleanup, "flock", [
    ...["--exclusive", `/proc/${keeperOf(volume.runDirectory)}/fd/${BUFFERS}`],
    ...["bash", "-c", `touch "$1"; sleep ${(2 * A_WHILE_MS) / 1000}; rm "$1"`, "hold", left],
  ]);
  const waitsForLock = new RegExp(`-> FLOCK +ADVISORY +WRITE +${holder.pid} `);
  await until("it waits for the lock", () => waitsForLock.test(readFileSync("/proc/locks", "utf8")));
  // Nobody else is told to serve before it has the lock.
  const keeper = keeperOf(volume.runDirectory);
  cleanup.add("let the keeper go on", () => process.kill(keeper, "SIGCONT"));
  process.kill(keeper, "SIGSTOP");
  process.kill(killed, "SIGKILL");
  await until("the lock is held", () => existsSync(left));
  process.kill(keeper, "SIGCONT");
  const next = engineAfter(volume.runDirectory, killed);
  expect(await stillWaits(next, A_WHILE_MS)).toBe(true);
  expect(await next).not.toBe(killed);
  expect(existsSync(left)).toBe(false);
  expect(readFileSync(join(volume.runDirectory, "engine.log"), "utf8")).toContain("has I/O under way");
});

it("is done without where the system has no room for it, and the log says why", async () => {
  const most = "/proc/sys/fs/aio-max-nr";
  const allowed = readFileSync(most, "utf8");
  const device = await blockDevice(cleanup, join(directory, "vol.img"), 16 * MIB);
  cleanup.add("allow AIO again", () => writeFileSync(most, allowed));
  writeFileSync(most, "1");
  const volume = await AttachedVolume.adopt(cleanup, directory, "vol", device, join(directory, "vol.run"));
  writeFileSync(most, allowed);
  await mustRun("dd", ["if=/dev/urandom", `of=${volume.device}`, "bs=64k", "count=64", "oflag=direct", "status=none"]);
  expect(await hashOf(volume.device)).toBe(await hashOf(device));
  expect(readFileSync(join(volume.runDirectory, "engine.log"), "utf8")).toContain("fs.aio-max-nr may be too low");
});

it("leaves no process when it is detached", async () => {
  const device = await blockDevice(cleanup, join(directory, "vol.img"), 16 * MIB);
  const volume = await AttachedVolume.adopt(cleanup, directory, "vol", device, join(directory, "vol.run"));
  const undertaker = undertakerOf(await volume.enginePid());
  await mustEngineCommand("detach", "--run-dir", volume.runDirectory);
  expect(existsSync(`/proc/${undertaker}`)).toBe(false);
});
