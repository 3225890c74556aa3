/** A worker that is killed while it attaches a mounted volume for the first time: its successor completes that, or takes it back. */
import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
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

const mountedFrom = (mount: string) => /^\S+/.exec(lineOf(mount))?.[0];
const lineOf = (mount: string) =>
  readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .find((line) => line.split(" ")[1] === mount) ?? "";

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

const unmounted = (mount: string) => mountedFrom(mount) === undefined;
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
    const before = mountedFrom(mount);
    await killWhileAttaching(mount, () => instant(mount));
    expect(mountedFrom(mount)).toBeUndefined();
    await worker.up();
    expect(await volumeAt(mount)).toMatchObject({ state: "attached", provider: "engine", mount });
    expect(readFileSync(join(mount, "file"), "utf8")).toBe("content");
    await worker.host.host("volume.detach", { name: mount });
    expect(mountedFrom(mount)).toBe(before);
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
