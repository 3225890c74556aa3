/** Places for caches that others may write to as well: the worker, which is root, follows nothing they put there. */
import { chownSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Cleanup, cleanupAfterEach } from "../fixtures/cleanup";
import { WorkerUnderTest } from "../fixtures/worker-under-test";

const MIB = 1024 * 1024;
const SOMEBODY = 12_345;
const whole = new Cleanup();
const cleanup = cleanupAfterEach();
let worker: WorkerUnderTest;
let round = 0;
let place: string;
let inside: string;

beforeAll(async () => {
  worker = await WorkerUnderTest.start(whole);
  await worker.host.host("practice.create", { name: "vol", sizeBytes: 64 * MIB });
});
afterAll(() => whole.run());

beforeEach(async () => {
  round += 1;
  place = worker.path(`place-${round}`);
  inside = join(place, "stillframe-cache");
  mkdirSync(place);
  await worker.host.host("cache.allow", { locations: [place] });
  cleanup.add("allow the usual place", () => worker.host.host("cache.allow", { locations: [] }));
  rmSync(inside, { recursive: true });
});

const take = () =>
  worker.host.host("snapshot.create", {
    volumes: ["vol"],
    openFile: { quiet: { minimumMs: 0 }, cache: { location: place } },
  });

/** Nothing was removed from the directory, its mode is what it was, and no snapshot is taken there. */
async function isLeftAlone(directory: string, why: RegExp): Promise<void> {
  const files = readdirSync(directory);
  const { mode } = statSync(directory);
  const [location] = await worker.host.host("cache.list", {});
  expect(location).toMatchObject({ path: place, orphans: [] });
  expect(await worker.host.host("cache.removeOrphans", {})).toEqual({ removed: [], freedBytes: 0 });
  await expect(take()).rejects.toThrow(/no cache location has room/);
  await expect(worker.host.host("cache.allow", { locations: [place] })).rejects.toThrow(why);
  expect(readdirSync(directory)).toEqual(files);
  expect(statSync(directory).mode).toBe(mode);
}

describe("a place where caches may be kept", () => {
  test("in which somebody put a link for the directory of the caches is turned down, and what it leads to is untouched", async () => {
    const precious = worker.path(`precious-${round}`);
    mkdirSync(precious, { mode: 0o755 });
    for (const name of ["ledger", "old.cache"]) writeFileSync(join(precious, name), "precious");
    symlinkSync(precious, inside);
    await isLeftAlone(precious, /not writable: .* is a link or no directory/);
  });

  test("in which the directory of the caches is somebody else's is turned down, and nothing in it is removed", async () => {
    mkdirSync(inside, { mode: 0o755 });
    writeFileSync(join(inside, "old.cache"), "of somebody else");
    chownSync(inside, SOMEBODY, SOMEBODY);
    await isLeftAlone(inside, /not writable: .* belongs to another user/);
  });

  test("in which there are other things than caches keeps them", async () => {
    mkdirSync(inside);
    writeFileSync(join(inside, "ledger"), "no cache");
    writeFileSync(join(place, "ledger"), "elsewhere");
    symlinkSync(join(place, "ledger"), join(inside, "link.cache"));
    writeFileSync(join(inside, "left.cache"), "x".repeat(8192));
    const { removed } = await worker.host.host("cache.removeOrphans", {});
    expect(removed).toEqual([join(inside, "left.cache")]);
    expect(readdirSync(inside).sort()).toEqual(["ledger", "link.cache"]);
  });
});
