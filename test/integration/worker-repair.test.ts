/** `host.repair` and `host.restart` of a real worker: what crashes and people left half done is whole again. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { mustRun } from "@/server/worker/programs/run-program";
import { Cleanup } from "../fixtures/cleanup";
import { killWithKeeper, runDirectoryOf } from "../fixtures/engine-process";
import { WorkerUnderTest } from "../fixtures/worker-under-test";

const MIB = 1024 * 1024;
const whole = new Cleanup();
let worker: WorkerUnderTest;

beforeAll(async () => {
  worker = await WorkerUnderTest.start(whole);
  for (const name of ["broken", "unmounted", "whole", "resting"]) {
    await worker.host.host("practice.create", { name, sizeBytes: 64 * MIB });
    writeFileSync(join(worker.mount(name), "known"), name, { flush: true });
  }
  await worker.host.host("volume.detach", { name: "resting" });
});
afterAll(() => whole.run());

const known = (name: string) => readFileSync(join(worker.mount(name), "known"), "utf8");
const repaired = async () => {
  const { ok, checks } = await worker.host.host("host.repair", {});
  return { ok, ...Object.fromEntries(checks.map(({ name, detail }) => [name, detail])) };
};

test("a repair takes up dead engines, mounts what was unmounted and removes orphans; nothing else is touched", async () => {
  await killWithKeeper(runDirectoryOf(worker.run, "broken"));
  const state = async () => (await worker.host.host("volume.list", {})).find((v) => v.name === "broken")?.state;
  await expect.poll(state, { timeout: 30_000 }).toBe("unreachable");
  await mustRun("umount", [worker.mount("unmounted")]);
  const [location] = await worker.host.host("cache.list", {});
  writeFileSync(join(location?.path ?? "", "stillframe-cache", "left-behind.cache"), "old contents");

  expect(await repaired()).toEqual({
    ok: true,
    "volume broken": "its engine did not answer: taken up anew",
    "volume unmounted": `it was not mounted: mounted at ${worker.mount("unmounted")} again`,
    "volume whole": "in order",
    "volume resting": "detached by a person: left so",
    "clean-up after runs": "in order",
    "cache files": expect.stringMatching(/^1 orphaned file removed/),
  });
  for (const name of ["broken", "unmounted", "whole"]) expect(known(name)).toBe(name);
  expect(await repaired()).toMatchObject({ "volume broken": "in order", "cache files": "in order" });
});

test("a repair leaves a volume alone that a run is at", async () => {
  const runId = await worker.startRun({ volumes: ["whole"], command: "sleep 60" });
  try {
    expect(await repaired()).toMatchObject({ ok: true, "volume whole": "a run is at it: left alone" });
  } finally {
    await worker.host.host("run.cancel", { runId });
  }
});

test("an engine that answers hands over to another program, with its snapshot", async () => {
  const { snapshots } = await worker.host.host("snapshot.create", {
    volumes: ["whole"],
    openFile: { quiet: { minimumMs: 0 } },
  });
  await worker.host.host("engine.restart", { volume: "whole" });
  expect(await worker.host.host("snapshot.list", {})).toMatchObject([{ id: snapshots[0]?.id, state: "active" }]);
  expect((await worker.host.host("engine.log", { volume: "whole" })).join("\n")).not.toMatch(/killed|SIGKILL/);
  await worker.host.host("snapshot.release", { id: snapshots[0]?.id ?? "" });
});

test("a worker ends to be restarted only where something starts it again, and never during a run", async () => {
  await expect(worker.host.host("host.restart", {})).rejects.toThrow("nothing would start this worker again");
  await worker.stop();
  await worker.up({ STILLFRAME_SUPERVISED: "1" });
  const runId = await worker.startRun({ volumes: ["whole"], command: "sleep 60" });
  await expect(worker.host.host("host.restart", {})).rejects.toThrow("a run is on");
  await worker.host.host("run.cancel", { runId });
  await worker.host.host("host.restart", {});
  await worker.ended();
  // Its engines went on without it.
  expect(known("whole")).toBe("whole");
  await worker.up();
  expect(await repaired()).toMatchObject({ ok: true, "volume whole": "in order", "volume unmounted": "in order" });
});
