/** `kill -9` of the worker during a restore leaves no restic, lock or secret, and the restore can be done again. */
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Cleanup } from "../fixtures/cleanup";
import { pause } from "../fixtures/native-program";
import { WorkerUnderTest } from "../fixtures/worker-under-test";

const MIB = 1024 * 1024;
const KILLS = 3;
const content = randomBytes(180 * MIB);
const whole = new Cleanup();
let worker: WorkerUnderTest;

beforeAll(async () => {
  worker = await WorkerUnderTest.start(whole);
  await worker.host.host("practice.create", { name: "source", sizeBytes: 256 * MIB });
  writeFileSync(join(worker.mount("source"), "data"), content);
});
afterAll(() => whole.run());

/** Whether restic is writing below this directory. */
function isRestoring(target: string): boolean {
  return readdirSync("/proc").some((pid) => {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      return words[0]?.endsWith("restic") && words.includes("restore") && words.includes(target);
    } catch {
      return false;
    }
  });
}

test("nothing is left of a restore whose worker was killed, and done again it brings the file back", async () => {
  const runId = await worker.startRun({ volumes: ["source"] });
  expect((await worker.console.ended(runId)).outcome, worker.console.story(runId)).toBe("succeeded");
  const file = join(worker.mount("source"), "data");
  const wish = { repository: worker.repository, password: worker.password, runId, paths: [file] };

  for (let kill = 1; kill <= KILLS; kill += 1) {
    const target = worker.path(`killed-${kill}`);
    let answered = false;
    const restore = worker.host.host("restore.start", { ...wish, target }).then(
      () => (answered = true),
      () => {},
    );
    while (!isRestoring(target) && !answered) await pause(5);
    await pause(kill * 30); // further into it each time
    expect(answered, `kill ${kill} came when the restore had ended`).toBe(false);
    await worker.kill();
    await restore;
    await worker.up();
    expect(isRestoring(target)).toBe(false);
    expect(await worker.leftovers()).toEqual([]);
  }

  const target = worker.path("again");
  await worker.host.host("restore.start", { ...wish, target });
  expect(existsSync(join(target, file)) && readFileSync(join(target, file)).equals(content)).toBe(true);
  expect(await worker.leftovers()).toEqual([]);
});
