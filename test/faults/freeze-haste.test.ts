/** While file systems are frozen the kernel is in haste, and never afterwards, whoever is killed. */
import { readFile, writeFile } from "node:fs/promises";
import { beforeEach, expect, it } from "vitest";
import { shortFreezeCheck } from "@/server/worker/doctor/short-freeze";
import { mustRun } from "@/server/worker/programs/run-program";
import { AttachedVolume, scratchDirectory, smallestBytes } from "../fixtures/attached-volume";
import { cleanupAfterEach } from "../fixtures/cleanup";
import { Freeze, freezeRequest, mustFreeze } from "../fixtures/freeze-program";
import { SlowSocket, through } from "../fixtures/slow-socket";

const SWITCH = "/sys/kernel/rcu_expedited";
const NORMAL = "/sys/kernel/rcu_normal";
/** What the freeze helper writes there: "SF". */
const OURS = 0x5346;
const FAR_DEADLINE_MS = 60_000;

const cleanup = cleanupAfterEach();
let volume: AttachedVolume;
let slow: SlowSocket;

const haste = async () => Number(await readFile(SWITCH, "utf8"));

beforeEach(async (context) => {
  const found = await haste().catch(() => null);
  if (found === null) context.skip(`this kernel has no ${SWITCH}: a freeze takes as long as the kernel's own`);
  expect(found, "nobody else must have set it").toBe(0);
  cleanup.add("the kernel's own pace", () => writeFile(SWITCH, "0"));
  const directory = await scratchDirectory(cleanup);
  volume = await AttachedVolume.attach(cleanup, directory, "alpha", smallestBytes.ext4);
  await volume.mountNew("ext4");
  await volume.prepare("s1");
  slow = await SlowSocket.listen(cleanup, volume);
});

/** A freeze that waits for its engine. */
async function heldFreeze(): Promise<Freeze> {
  const freeze = Freeze.start(through(slow, volume, freezeRequest([volume], "s1", FAR_DEADLINE_MS)));
  await slow.asked;
  return freeze;
}

it("is set back when the snapshot is taken", async () => {
  const freeze = await heldFreeze();
  expect(await haste()).toBe(OURS);
  slow.letThrough();
  expect((await freeze.ended).report).toMatchObject({ ok: true });
  expect(await haste()).toBe(0);
});

it("is set back when the freeze is ended", async () => {
  const freeze = await heldFreeze();
  freeze.closeControlPipe();
  expect((await freeze.ended).report).toMatchObject({ ok: false, kind: "interrupted" });
  expect(await haste()).toBe(0);
});

it.each(["the helper", "its guardian"])("is set back when %s is killed", async (who) => {
  const freeze = await heldFreeze();
  process.kill(who === "the helper" ? freeze.pid : await freeze.guardian(), "SIGKILL");
  await freeze.ended;
  expect(await haste()).toBe(0);
});

it("is set back by the next freeze when both are killed at once", async () => {
  const freeze = await heldFreeze();
  const pids = [freeze.pid, await freeze.guardian()];
  for (const signal of ["SIGSTOP", "SIGKILL"] as const) for (const pid of pids) process.kill(pid, signal);
  await freeze.ended;
  await mustRun("fsfreeze", ["--unfreeze", volume.mountPoint]);
  expect(await haste()).toBe(OURS);
  slow.letThrough();
  await volume.prepare("s2");
  await mustFreeze([volume], "s2");
  expect(await haste()).toBe(0);
});

it("is left as an administrator has set it", async () => {
  await writeFile(SWITCH, "1");
  const freeze = await heldFreeze();
  expect(await haste()).toBe(1);
  slow.letThrough();
  expect((await freeze.ended).report).toMatchObject({ ok: true });
  expect(await haste()).toBe(1);
});

it("is gone too early where two freezes end one after the other, and both take their snapshots", async () => {
  const other = await AttachedVolume.attach(cleanup, volume.directory, "beta", smallestBytes.ext4);
  await other.mountNew("ext4");
  await other.prepare("s1");
  const freeze = await heldFreeze();
  await mustFreeze([other], "s1");
  expect(await haste()).toBe(0);
  slow.letThrough();
  expect((await freeze.ended).report).toMatchObject({ ok: true });
  expect(await haste()).toBe(0);
});

it("is forbidden where an administrator has said so, and doctor tells what a freeze takes then", async () => {
  expect(await shortFreezeCheck()).toMatchObject({ ok: true, fix: null });
  await writeFile(NORMAL, "1");
  cleanup.add("the kernel's own choice", () => writeFile(NORMAL, "0"));
  const told = await shortFreezeCheck();
  expect(told).toMatchObject({ ok: false, required: false });
  expect(told.detail).toContain("rcu_normal is 1");
  await mustFreeze([volume], "s1");
  expect(await haste()).toBe(0);
});
