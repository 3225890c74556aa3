/** What a person may ask of kept snapshots: free space left out or not, several places for the cache, what changed. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { mustRun } from "@/server/worker/programs/run-program";
import { Cleanup, cleanupAfterEach } from "../fixtures/cleanup";
import { WorkerUnderTest } from "../fixtures/worker-under-test";

const MIB = 1024 * 1024;
const whole = new Cleanup();
const cleanup = cleanupAfterEach();
const quiet = { minimumMs: 0 };
let worker: WorkerUnderTest;

beforeAll(async () => {
  worker = await WorkerUnderTest.start(whole);
  await worker.host.host("practice.create", { name: "ledger", sizeBytes: 256 * MIB });
});
afterAll(() => whole.run());

const file = (name: string) => join(worker.mount("ledger"), name);

function fill(name: string, mib: number, byte: number): void {
  writeFileSync(file(name), Buffer.alloc(mib * MIB, byte), { flag: "a", flush: true });
}

interface Wish {
  location?: string;
  skipFreeBlocks?: boolean;
}

async function taken(cache: Wish = {}): Promise<string> {
  const made = await worker.host.host("snapshot.create", { volumes: ["ledger"], openFile: { quiet, cache } });
  const id = made.snapshots[0]?.id ?? "";
  cleanup.add(`release ${id}`, () => worker.host.host("snapshot.release", { id }).catch(() => {}));
  return id;
}

const found = async (id: string) => (await worker.host.host("snapshot.list", {})).find((s) => s.id === id);
const release = (id: string) => worker.host.host("snapshot.release", { id });

test("free space takes no cache, unless it is asked for", async () => {
  const leaving = await taken();
  fill("one", 4, 1);
  expect((await found(leaving))?.skippedFreeBlocks).toBeGreaterThan(1000);
  await release(leaving);
  const keeping = await taken({ skipFreeBlocks: false });
  fill("two", 4, 2);
  expect(await found(keeping)).toMatchObject({ skippedFreeBlocks: 0 });
  expect((await found(keeping))?.cacheUsedBytes).toBeGreaterThan(4 * MIB);
  await release(keeping);
});

test("a cache goes on at the next allowed place when its disk is full", async () => {
  const disks = [70, 64].map((mib) => ({ mib, path: worker.path(`disk-${mib}`) }));
  for (const { mib, path } of disks) {
    mkdirSync(path);
    await mustRun("mount", ["-t", "tmpfs", "-o", `size=${mib}m`, "tmpfs", path]);
    cleanup.add(`unmount ${path}`, () => mustRun("umount", [path]));
  }
  const before = (await worker.host.host("cache.list", {})).map((l) => l.path);
  await worker.host.host("cache.allow", { locations: disks.map((d) => d.path) });
  cleanup.add("allow the usual place", () => worker.host.host("cache.allow", { locations: before }));
  fill("large", 80, 3);
  const id = await taken();
  writeFileSync(file("large"), Buffer.alloc(80 * MIB, 4), { flag: "r+", flush: true });
  expect(await found(id)).toMatchObject({ state: "active", cacheLocation: disks[0]?.path });
  const used = (await worker.host.host("cache.list", {})).map((l) => [
    l.path,
    l.usedBytes > 0,
    l.snapshots.includes(id),
  ]);
  expect(used).toEqual(disks.map((d) => [d.path, true, true]));
  await release(id);
  rmSync(file("large"));
});

test("what changed between two snapshots is told, also when both are released and the worker was started anew", async () => {
  const first = await taken();
  await release(first);
  fill("changed", 3, 5);
  const second = await taken();
  await release(second);
  const told = await worker.host.host("snapshot.changes", { id: second, since: first });
  expect(told).toMatchObject({ volume: "ledger", next: null });
  const bytes = told.extents.reduce((sum, e) => sum + e.length, 0);
  expect(bytes).toBeGreaterThanOrEqual(3 * MIB);
  expect(bytes).toBeLessThan(40 * MIB);

  const source = (await worker.host.host("volume.list", {})).find((v) => v.name === "ledger")?.source ?? "";
  await worker.host.host("volume.detach", { name: "ledger" });
  await worker.stop();
  await worker.up();
  await worker.host.host("volume.attach", { source });
  expect(await worker.host.host("snapshot.changes", { id: second, since: first })).toEqual(told);
  await expect(worker.host.host("snapshot.changes", { id: first, since: second })).rejects.toThrow(/taken before/);
  await expect(worker.host.host("snapshot.changes", { id: second, since: "never" })).rejects.toThrow(/not known/);
});

test("a mounted snapshot stays, and can be released, when its volume cannot be attached at the worker's start", async () => {
  writeFileSync(file("note"), "before", { flush: true });
  const target = worker.path("frozen");
  const takenAndMounted = async () => {
    const id = await taken();
    await worker.host.host("snapshot.mount", { id, target });
    writeFileSync(file("note"), "after", { flush: true });
    return id;
  };
  const inTheWay = async () => {
    await worker.kill();
    await mustRun("umount", [worker.mount("ledger")]);
    await mustRun("mount", ["-t", "tmpfs", "tmpfs", worker.mount("ledger")]);
    await worker.up();
    const volume = (await worker.host.host("volume.list", {})).find((v) => v.name === "ledger");
    expect(volume).toMatchObject({ state: "detached" });
  };
  const outOfTheWay = async () => {
    await mustRun("umount", [worker.mount("ledger")]);
    expect(await worker.host.host("host.repair", {})).toMatchObject({ ok: true });
  };

  const kept = await takenAndMounted();
  await inTheWay();
  expect(readFileSync(join(target, "note"), "utf8")).toBe("before");
  await outOfTheWay();
  expect(await found(kept)).toMatchObject({ state: "active" });
  expect(readFileSync(join(target, "note"), "utf8")).toBe("before");
  await release(kept);

  writeFileSync(file("note"), "before", { flush: true });
  const released = await takenAndMounted();
  await inTheWay();
  await release(released);
  await outOfTheWay();
  expect(await worker.host.host("snapshot.list", {})).toEqual([]);
  expect(await worker.leftovers()).toEqual([]);
});
