/**
 * A freeze always ends: whoever is killed, closed or too slow, the writers of every volume go on, and no snapshot is said
 * to be taken.
 */
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { mustRun, runProgram } from "@/server/worker/programs/run-program";
import {
  AttachedVolume,
  MIB,
  makeFileSystem,
  makeImage,
  mount,
  scratchDirectory,
  smallestBytes,
} from "../fixtures/attached-volume";
import { BackgroundProgram } from "../fixtures/background-program";
import { cleanupAfterEach } from "../fixtures/cleanup";
import { Freeze, freezeRequest } from "../fixtures/freeze-program";
import { nativeProgram, pause } from "../fixtures/native-program";
import { SlowSocket, through } from "../fixtures/slow-socket";

const cleanup = cleanupAfterEach();
/** Longer than any of these tests waits, so that it is not the deadline that thaws. */
const FAR_DEADLINE_MS = 60_000;
/** What a thaw and a durable write may take on a busy machine. */
const GRACE_MS = 2000;
let directory: string;
let ext4: AttachedVolume;
let xfs: AttachedVolume;
let slow: SlowSocket;

beforeEach(async () => {
  directory = await scratchDirectory(cleanup);
  ext4 = await AttachedVolume.attach(cleanup, directory, "ext4", smallestBytes.ext4);
  xfs = await AttachedVolume.attach(cleanup, directory, "xfs", smallestBytes.xfs);
  for (const volume of [ext4, xfs]) {
    await volume.mountNew(volume === ext4 ? "ext4" : "xfs");
    await volume.prepare("s1");
  }
  slow = await SlowSocket.listen(cleanup, xfs);
});

const request = (deadlineMs: number) => through(slow, xfs, freezeRequest([ext4, xfs], "s1", deadlineMs));

interface Write {
  /** Milliseconds that it took until durable. */
  took: Promise<number>;
  ended: boolean;
}

function write(volume: AttachedVolume): Write {
  const began = performance.now();
  const file = `of=${join(volume.mountPoint, "written")}`;
  const writing: Write = {
    ended: false,
    took: mustRun("dd", ["if=/dev/zero", file, "bs=4k", "count=1", "conv=fsync", "status=none"]).then(() => {
      writing.ended = true;
      return performance.now() - began;
    }),
  };
  writing.took.catch(() => {}); // whoever waits for it hears of it
  return writing;
}

/** Once the group stands frozen: a write that waits on each volume. */
async function waitingWrites(): Promise<[Write, Write]> {
  await slow.asked;
  const writes: [Write, Write] = [write(ext4), write(xfs)];
  await pause(200);
  expect(writes.map((one) => one.ended)).toEqual([false, false]);
  return writes;
}

async function mustGoOn(writes: Write[], withinMs: number): Promise<void> {
  for (const one of writes) expect(await one.took).toBeLessThan(withinMs + 200);
}

/** No engine holds an active snapshot. The releases may still be on their way. */
async function mustHoldNoSnapshot(): Promise<void> {
  slow.letThrough();
  for (const volume of [ext4, xfs]) {
    let active: unknown[] = [];
    for (let tries = 0; tries < 50; tries += 1) {
      active = (await volume.describe()).snapshots.filter((one) => one.state !== "prepared");
      if (active.length === 0) break;
      await pause(100);
    }
    expect(active).toEqual([]);
  }
}

describe("an engine that is too slow", () => {
  it("is not waited for beyond the deadline: writers go on and the snapshot is reported as not taken", async () => {
    const freeze = Freeze.start(request(1000));
    await mustGoOn(await waitingWrites(), 1000 + GRACE_MS);
    const { report, exitCode } = await freeze.ended;
    expect(exitCode).toBe(1);
    expect(report).toMatchObject({ ok: false, kind: "deadline", mount: "xfs" });
    expect(report?.volumes.map((one) => one.name)).toEqual(["ext4", "xfs"]);
    await mustHoldNoSnapshot();
  });

  it("and stopped altogether keeps only its own writers waiting", async () => {
    const pid = await ext4.enginePid();
    const freeze = Freeze.start(request(1000));
    await slow.asked;
    process.kill(pid, "SIGSTOP");
    cleanup.add("let the engine run", () => process.kill(pid, "SIGCONT"));
    const [own, other] = [write(ext4), write(xfs)];
    await mustGoOn([other], 1000 + GRACE_MS);
    expect(own.ended).toBe(false);
    process.kill(pid, "SIGCONT");
    await mustGoOn([own], 3000 + GRACE_MS);
    expect((await freeze.ended).report).toMatchObject({ ok: false, kind: "deadline" });
    await mustHoldNoSnapshot();
  });

  it("and killed during the freeze costs the snapshot, not the writers", async () => {
    const pid = await xfs.enginePid();
    const freeze = Freeze.start(request(FAR_DEADLINE_MS));
    const writes = await waitingWrites();
    process.kill(pid, "SIGKILL");
    await mustGoOn(writes, GRACE_MS);
    expect((await freeze.ended).report).toMatchObject({ ok: false, kind: "activate", mount: "xfs" });
    await mustHoldNoSnapshot();
  });
});

describe("a thaw that the kernel refuses", () => {
  it("is tried until it succeeds, also after the deadline and after the snapshot was reported as not taken", async () => {
    const freeze = Freeze.startThatCannotThaw(request(1000), 3);
    const thaw = ({ mountPoint }: AttachedVolume) => runProgram("fsfreeze", ["--unfreeze", mountPoint]);
    for (const volume of [ext4, xfs]) cleanup.add("thaw what is frozen still", () => thaw(volume).then(() => {}));
    const writes = await waitingWrites();
    slow.letThrough();
    expect(await freeze.report).toMatchObject({ ok: false });
    await mustGoOn(writes, 4000 + GRACE_MS);
    expect((await freeze.ended).exitCode).toBe(1);
    await mustHoldNoSnapshot();
  });
});

describe("a volume that hangs inside the kernel", () => {
  /** Its backing store lies on a file system that is frozen, so nothing can be written to it. */
  async function stuckVolume(dirty: boolean): Promise<{ stuck: AttachedVolume; unfreeze: () => Promise<void> }> {
    const hostImage = await makeImage(join(directory, "host.img"), 256 * MIB);
    await makeFileSystem(hostImage, "ext4");
    const host = join(directory, "host");
    await mount(cleanup, hostImage, host, "loop");
    const image = await makeImage(join(host, "stuck.img"), 64 * MIB);
    const stuck = await AttachedVolume.adopt(cleanup, directory, "zz-stuck", image, join(directory, "zz-stuck.run"));
    await stuck.mountNew("ext4");
    await stuck.prepare("s1");
    await mustRun("sync", ["-f", stuck.mountPoint]);
    await mustRun("sync", ["-f", host]);
    await mustRun("fsfreeze", ["--freeze", host]);
    let frozen = true;
    const unfreeze = async () => {
      if (frozen) await mustRun("fsfreeze", ["--unfreeze", host]);
      frozen = false;
    };
    cleanup.add("unfreeze the host", unfreeze);
    if (dirty) {
      await mustRun("dd", ["if=/dev/zero", `of=${join(stuck.mountPoint, "dirty")}`, "bs=1M", "count=4", "status=none"]);
    }
    return { stuck, unfreeze };
  }

  it("lets the other volumes go at the deadline, says so, and its own as soon as the kernel lets go", async () => {
    const { stuck, unfreeze } = await stuckVolume(false);
    const freeze = Freeze.start(freezeRequest([ext4, stuck], "s1", 1500));
    await freeze.guardian();
    await pause(500);
    const [other, own] = [write(ext4), write(stuck)];
    await pause(300);
    expect([other.ended, own.ended]).toEqual([false, false]);
    await mustGoOn([other], 1500 + GRACE_MS);
    expect(await freeze.report).toMatchObject({ ok: false, kind: "deadline", mount: "zz-stuck" });
    expect(own.ended).toBe(false);
    await unfreeze();
    await mustGoOn([own], 5000 + GRACE_MS);
    const { stdout, exitCode } = await freeze.ended;
    expect([stdout.split("\n").length, exitCode]).toEqual([2, 1]);
    await mustHoldNoSnapshot();
  });

  it("before the freeze stops nobody: the helper names it and ends at the limit of the sync", async () => {
    const { stuck, unfreeze } = await stuckVolume(true);
    const freeze = Freeze.start({ ...freezeRequest([ext4, stuck], "s1", FAR_DEADLINE_MS), syncMs: 1500 });
    await pause(500);
    await mustGoOn([write(ext4)], GRACE_MS);
    const { report, exitCode } = await freeze.ended;
    expect(exitCode).toBe(1);
    expect(report).toMatchObject({ ok: false, kind: "sync", mount: "zz-stuck" });
    expect(report?.volumes.map((one) => one.syncMs === null)).toEqual([false, true]);
    await unfreeze();
    await mustHoldNoSnapshot();
  });

  it.each(["the control pipe ends", "a signal comes"])(
    "before the freeze ends the helper at once when %s",
    async (how) => {
      const { stuck, unfreeze } = await stuckVolume(true);
      const freeze = Freeze.start(freezeRequest([ext4, stuck], "s1", FAR_DEADLINE_MS));
      await pause(500);
      const began = performance.now();
      if (how === "a signal comes") process.kill(freeze.pid, "SIGTERM");
      else freeze.closeControlPipe();
      expect((await freeze.ended).report).toMatchObject({ ok: false, kind: "interrupted", mount: "zz-stuck" });
      expect(performance.now() - began).toBeLessThan(GRACE_MS);
      await unfreeze();
      await mustHoldNoSnapshot();
    },
  );
});

describe("whoever asked for the freeze", () => {
  it("and closes the control pipe thaws it", async () => {
    const freeze = Freeze.start(request(FAR_DEADLINE_MS));
    const writes = await waitingWrites();
    freeze.closeControlPipe();
    await mustGoOn(writes, GRACE_MS);
    const { report, exitCode } = await freeze.ended;
    expect(exitCode).toBe(1);
    expect(report).toMatchObject({ ok: false, kind: "interrupted" });
    await mustHoldNoSnapshot();
  });

  /** A stand-in for the worker: starts the freeze and waits. */
  function parent(): BackgroundProgram {
    const script = `const freeze = require("node:child_process").spawn(process.argv[1], { stdio: ["pipe", "inherit", "inherit"] });
      freeze.stdin.write(process.argv[2] + "\\n");
      setInterval(() => {}, 1000);`;
    const line = JSON.stringify(request(FAR_DEADLINE_MS));
    return new BackgroundProgram(cleanup, process.execPath, ["-e", script, nativeProgram("stillframe-freeze"), line]);
  }

  it("and is killed with -9 leaves nothing frozen", async () => {
    const asking = parent();
    const writes = await waitingWrites();
    process.kill(asking.pid, "SIGKILL");
    await mustGoOn(writes, GRACE_MS);
    await mustHoldNoSnapshot();
    expect((await asking.ended).output).toContain('"kind":"interrupted"');
  });

  it("and is killed with its whole process group leaves nothing frozen", async () => {
    const asking = parent();
    const writes = await waitingWrites();
    process.kill(-asking.pid, "SIGKILL");
    await mustGoOn(writes, GRACE_MS);
    await mustHoldNoSnapshot();
    expect((await asking.ended).output).toContain('"ok":false');
  });
});

describe("the freeze helper", () => {
  it("killed with -9 is thawed by its guardian, which says that no snapshot was taken", async () => {
    const freeze = Freeze.start(request(FAR_DEADLINE_MS));
    const writes = await waitingWrites();
    process.kill(freeze.pid, "SIGKILL");
    await mustGoOn(writes, GRACE_MS);
    const { report, signal } = await freeze.ended;
    expect(signal).toBe("SIGKILL");
    expect(report).toMatchObject({ ok: false, kind: "interrupted" });
    await mustHoldNoSnapshot();
  });

  it("thaws by itself when its guardian is killed with -9", async () => {
    const freeze = Freeze.start(request(FAR_DEADLINE_MS));
    const writes = await waitingWrites();
    process.kill(await freeze.guardian(), "SIGKILL");
    await mustGoOn(writes, GRACE_MS);
    expect((await freeze.ended).report).toMatchObject({ ok: false, kind: "interrupted" });
    await mustHoldNoSnapshot();
  });

  it.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)("thaws on %s", async (signal) => {
    const freeze = Freeze.start(request(FAR_DEADLINE_MS));
    const writes = await waitingWrites();
    process.kill(freeze.pid, signal);
    await mustGoOn(writes, GRACE_MS);
    expect((await freeze.ended).report).toMatchObject({ ok: false, kind: "interrupted" });
    await mustHoldNoSnapshot();
  });

  it("never says taken when somebody else thawed a mount meanwhile", async () => {
    const freeze = Freeze.start(request(FAR_DEADLINE_MS));
    await waitingWrites();
    await mustRun("fsfreeze", ["--unfreeze", ext4.mountPoint]);
    slow.letThrough();
    expect((await freeze.ended).report).toMatchObject({ ok: false, kind: "deadline", mount: "ext4" });
    await mustHoldNoSnapshot();
  });

  it("leaves alone what somebody else froze", async () => {
    await mustRun("fsfreeze", ["--freeze", xfs.mountPoint]);
    let unfrozen = false;
    const unfreeze = async () => {
      if (!unfrozen) await mustRun("fsfreeze", ["--unfreeze", xfs.mountPoint]);
      unfrozen = true;
    };
    cleanup.add("unfreeze", unfreeze);
    const { report } = await Freeze.start(request(FAR_DEADLINE_MS)).ended;
    expect(report).toMatchObject({ ok: false, kind: "freeze", mount: "xfs" });
    await mustGoOn([write(ext4)], GRACE_MS);
    const waiting = write(xfs);
    await pause(300);
    expect(waiting.ended).toBe(false);
    await unfreeze();
    await waiting.took;
  });
});
