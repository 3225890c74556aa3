/**
 * A worker that is killed while it attaches a volume for the first time, one that was mounted or a practice volume that
 * it makes: its successor completes that, or takes it back.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { mustRun } from "@/server/worker/programs/run-program";
import { Cleanup, cleanupAfterEach } from "../fixtures/cleanup";
import { WorkerUnderTest } from "../fixtures/worker-under-test";

const whole = new Cleanup();
const cleanup = cleanupAfterEach();
let worker: WorkerUnderTest;

beforeAll(async () => {
  worker = await WorkerUnderTest.start(whole);
});
afterAll(() => whole.run());

function deviceAt(mount: string): string | undefined {
  const lines = readFileSync("/proc/self/mounts", "utf8").split("\n");
  return lines.find((line) => line.split(" ")[1] === mount)?.split(" ")[0];
}

/** The file behind the loop device that is mounted there. */
const fileAt = (mount: string) =>
  readFileSync(`/sys/block/${basename(deviceAt(mount) ?? "none")}/loop/backing_file`, "utf8").trim();

async function mountedImage(name: string): Promise<string> {
  const mount = worker.path(name);
  const image = worker.path(`${name}.img`);
  writeFileSync(image, "");
  truncateSync(image, 32 * 1024 * 1024);
  await mustRun("mkfs.ext4", ["-q", "-F", image]);
  mkdirSync(mount);
  await mustRun("mount", ["-o", "loop", image, mount]);
  cleanup.add("unmount", () => mustRun("umount", [mount]).catch(() => {}));
  writeFileSync(join(mount, "file"), "content");
  return mount;
}

/** Attaches it, and kills the worker as soon as `instant` has come. */
async function killWhileAttaching(mount: string, instant: () => boolean): Promise<void> {
  worker.host.host("volume.attach", { source: mount, remount: true }).catch(() => {});
  while (!instant()) await new Promise((done) => setImmediate(done));
  await worker.kill();
}

const volumeAt = async (mount: string) =>
  (await worker.host.host("volume.list", {})).find((volume) => volume.name === mount);

const unmounted = (mount: string) => deviceAt(mount) === undefined;
const engineStarts = () => {
  const engines = join(worker.run, "engine");
  return existsSync(engines) && readdirSync(engines).some((id) => existsSync(join(engines, id, "engine.sock")));
};

test.each([
  ["it was unmounted", "early", unmounted],
  ["its engine was started", "late", engineStarts],
])(
  "a volume that was being attached when the worker was killed, after %s, is attached at the next start",
  async (_, name, instant) => {
    const mount = await mountedImage(`taken-${name}`);
    const before = fileAt(mount);
    await killWhileAttaching(mount, () => instant(mount));
    expect(deviceAt(mount)).toBeUndefined();
    await worker.up();
    expect(await volumeAt(mount)).toMatchObject({ state: "attached", provider: "engine", mount });
    expect(readFileSync(join(mount, "file"), "utf8")).toBe("content");
    await worker.host.host("volume.detach", { name: mount });
    expect(fileAt(mount)).toBe(before);
  },
);

test("where it cannot be attached at the next start either, it is mounted as before, and not Stillframe's", async () => {
  const mount = await mountedImage("given-back");
  await killWhileAttaching(mount, () => unmounted(mount));
  await worker.up({ STILLFRAME_TRANSPORT: "no such transport" });
  expect(await volumeAt(mount)).toMatchObject({ provider: "none", state: "available", mount });
  expect(readFileSync(join(mount, "file"), "utf8")).toBe("content");
  await worker.stop();
  await worker.up();
  expect(await volumeAt(mount)).toMatchObject({ provider: "none", state: "available" });
});

const PRACTICE_BYTES = 64 * 1024 * 1024;
const made = (name: string) => existsSync(join(worker.home, "practice", name));
test.each([
  ["its image was begun", "begun", () => existsSync(join(worker.home, "practice.new")), false],
  ["its image was made", "made", () => made("made"), true],
  ["its engine was started", "started", engineStarts, true],
])("a practice volume that was being made when the worker was killed, after %s", async (_, name, instant, stays) => {
  worker.host.host("practice.create", { name, sizeBytes: PRACTICE_BYTES, fs: "ext4" }).catch(() => {});
  while (!instant()) await new Promise((done) => setImmediate(done));
  await worker.kill();
  await worker.up();
  expect((await volumeAt(name))?.state).toBe(stays ? "attached" : undefined);
  expect([made(name), existsSync(join(worker.home, "practice.new"))]).toEqual([stays, false]);
  if (!stays) await worker.host.host("practice.create", { name, sizeBytes: PRACTICE_BYTES, fs: "ext4" });
  await worker.host.host("practice.remove", { name });
  expect([made(name), readdirSync(join(worker.run, "engine"))]).toEqual([false, []]);
});
