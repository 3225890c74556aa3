/** Volumes that a person mounts by hand, elsewhere or twice: what is read is the frozen image wherever they are. */
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { mustRun } from "@/server/worker/programs/run-program";
import { type FileSystem, makeFileSystem, mount, smallestBytes, unmount } from "../fixtures/attached-volume";
import { BackgroundProgram } from "../fixtures/background-program";
import { Cleanup, cleanupAfterEach } from "../fixtures/cleanup";
import { WorkerUnderTest } from "../fixtures/worker-under-test";

const whole = new Cleanup();
const cleanup = cleanupAfterEach();
const openFile = { quiet: { minimumMs: 0 } };
let worker: WorkerUnderTest;

beforeAll(async () => {
  worker = await WorkerUnderTest.start(whole);
});
afterAll(() => whole.run());

function image(name: string, bytes: number): string {
  const path = worker.path(`${name}.img`);
  writeFileSync(path, "");
  truncateSync(path, bytes);
  return path;
}

/** Attached while it holds nothing and is mounted nowhere; a file system is made on it afterwards. Returns its device. */
async function attachedEmpty(name: string, fileSystem: FileSystem): Promise<string> {
  const source = image(name, smallestBytes[fileSystem]);
  const { device } = await worker.host.host("volume.attach", { source, name });
  cleanup.add(`detach ${name}`, () => worker.host.host("volume.detach", { name }));
  await makeFileSystem(device ?? "", fileSystem);
  return device ?? "";
}

/** What a backup command reads of each file after its live contents have changed from `before` to `after`. */
async function readByRun(volume: string, files: string[]): Promise<string[]> {
  for (const file of files) writeFileSync(file, "before", { flush: true });
  const [go, copy] = [worker.path(`${volume}.go`), worker.path(`${volume}.copy`)];
  const reads = files.map((file) => `cat '${file}'; echo`).join("; ");
  const command = `while [ ! -e '${go}' ]; do sleep 0.05; done; { ${reads}; } > '${copy}'`;
  const runId = await worker.startRun({ volumes: [volume], command });
  await worker.console.until(runId, (e) => e.type === "phase" && ["backingUp", "releasing"].includes(e.phase));
  for (const file of files) writeFileSync(file, "after", { flush: true });
  writeFileSync(go, "");
  expect((await worker.console.ended(runId)).outcome, worker.console.story(runId)).toBe("succeeded");
  return readFileSync(copy, "utf8").trimEnd().split("\n");
}

test.each<FileSystem>(["ext4", "xfs"])(
  "a volume that was mounted by hand after it was attached is backed up as it was at the instant, on %s",
  async (fileSystem) => {
    const name = `hand-${fileSystem}`;
    const device = await attachedEmpty(name, fileSystem);
    const at = worker.path(`${name}.mnt`);
    await mount(cleanup, device, at);
    expect(await readByRun(name, [join(at, "file")])).toEqual(["before"]);
    expect((await worker.host.host("volume.list", {})).find((v) => v.name === name)).toMatchObject({
      mount: at,
      fsType: fileSystem,
    });
  },
);

test("exec and a kept snapshot of a volume that was mounted by hand hold what was there at the instant", async () => {
  const device = await attachedEmpty("kept", "xfs");
  const at = worker.path("kept.mnt");
  await mount(cleanup, device, at);
  const file = join(at, "file");
  writeFileSync(file, "before", { flush: true });
  const { snapshots } = await worker.host.host("snapshot.create", { volumes: ["kept"], openFile });
  const id = snapshots[0]?.id ?? "";
  cleanup.add("release", () => worker.host.host("snapshot.release", { id }));
  const session = await worker.host.host("exec.begin", { volumes: ["kept"], openFile });
  expect(session.volumes).toMatchObject([{ name: "kept", mount: at }]);
  writeFileSync(file, "after", { flush: true });
  expect(await mustRun("nsenter", [`--mount=${session.namespace}`, "cat", file])).toBe("before");
  await worker.host.host("exec.end", { session: session.session });
  const target = worker.path("kept.frozen");
  await worker.host.host("snapshot.mount", { id, target });
  expect(readFileSync(join(target, "file"), "utf8")).toBe("before");
});

test("a volume that was moved to another place, while another file system lies at its own, is frozen where it is", async () => {
  const source = image("moved", smallestBytes.ext4);
  await makeFileSystem(source, "ext4");
  const own = worker.path("moved.own");
  const { device } = await worker.host.host("volume.attach", { source, name: "moved", mount: own });
  cleanup.add("detach", () => worker.host.host("volume.detach", { name: "moved" }));
  await unmount(own);
  const at = worker.path("moved.elsewhere");
  await mount(cleanup, device ?? "", at);
  const other = image("other", smallestBytes.ext4);
  await makeFileSystem(other, "ext4");
  await mount(cleanup, other, own, "loop");
  expect(await readByRun("moved", [join(at, "file")])).toEqual(["before"]);
});

test("a volume that is mounted at two places is frozen at both", async () => {
  const device = await attachedEmpty("twice", "ext4");
  const places = ["twice.one", "twice.two"].map((name) => worker.path(name));
  for (const at of places) await mount(cleanup, device, at);
  expect(
    await readByRun(
      "twice",
      places.map((at, n) => join(at, `file-${n}`)),
    ),
  ).toEqual(["before", "before"]);
});

test("a directory of a volume that is bound elsewhere is frozen there too", async () => {
  const device = await attachedEmpty("bound", "ext4");
  const [at, bound] = [worker.path("bound.mnt"), worker.path("bound-elsewhere")];
  await mount(cleanup, device, at);
  for (const directory of [join(at, "part"), bound]) mkdirSync(directory);
  await mustRun("mount", ["--bind", join(at, "part"), bound]);
  cleanup.add("unbind", () => mustRun("umount", [bound]));
  expect(await readByRun("bound", [join(at, "file"), join(bound, "file")])).toEqual(["before", "before"]);
});

test("hooks and the wait for quiet know a volume that was mounted by hand at its place", async () => {
  const device = await attachedEmpty("told", "ext4");
  const at = worker.path("told.mnt");
  await mount(cleanup, device, at);
  const told = worker.path("told");
  const script = 'while :; do echo x >> "$1"; sync "$1"; sleep 0.02; done';
  new BackgroundProgram(cleanup, "/bin/sh", ["-c", script, "writer", join(at, "ignored")]);
  const hooks = (["preFreeze", "postRun"] as const).map((moment) => ({
    at: moment,
    command: `echo "$STILLFRAME_MOUNTS" >> '${told}'`,
  }));
  const quiet = { minimumMs: 300, timeoutMs: 20_000, atTimeout: "fail" as const, ignorePaths: [join(at, "ignored")] };
  const runId = await worker.startRun({ volumes: ["told"], command: "true", hooks, openFile: { quiet } });
  expect((await worker.console.ended(runId)).outcome, worker.console.story(runId)).toBe("succeeded");
  expect(readFileSync(told, "utf8")).toBe(`${at}\n${at}\n`);
});

test("a volume that lies hidden beneath another file system is said not to be mounted, and nothing else is read for it", async () => {
  const device = await attachedEmpty("hidden", "ext4");
  const at = worker.path("hidden.mnt");
  await mount(cleanup, device, at);
  await mustRun("mount", ["-t", "tmpfs", "tmpfs", at]);
  cleanup.add("uncover", () => mustRun("umount", [at]));
  const runId = await worker.startRun({ volumes: ["hidden"], command: "true" });
  expect(await worker.console.ended(runId)).toMatchObject({ outcome: "failed", code: "SF-105" });
  const taking = worker.host.host("snapshot.create", { volumes: ["hidden"], openFile });
  await expect(taking).rejects.toThrow(/lies beneath/);
  expect(await worker.leftovers()).toEqual([]);
});
