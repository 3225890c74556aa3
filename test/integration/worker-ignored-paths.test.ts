/**
 * Ignored paths of the quiet time, on real volumes: what is written to them spoils no window, whatever the program does
 * with its files; what is written elsewhere does, also where only the device sees it (mappings, asynchronous I/O).
 */
import { appendFileSync, linkSync, mkdirSync, rmSync, statfsSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { OpenFile } from "@/server/core/contracts/job";
import { noQuietEvidence } from "@/server/core/errors/evidence";
import { FaultError } from "@/server/worker/fault";
import { mustRun } from "@/server/worker/programs/run-program";
import { awaitQuiet } from "@/server/worker/quiet/quiet-monitor";
import type { AttachedVolume as WorkerVolume } from "@/server/worker/volumes/known-volumes";
import { type AttachedVolume, type FileSystem, MIB, scratchDirectory } from "../fixtures/attached-volume";
import { BackgroundProgram } from "../fixtures/background-program";
import { cleanupAfterEach } from "../fixtures/cleanup";
import { nativeDirectory, nativeProgram, pause } from "../fixtures/native-program";
import { watchPrograms } from "../fixtures/watch-programs";
import { attachWatched } from "../fixtures/watched-volume";

const cleanup = cleanupAfterEach();
let volume: AttachedVolume;
let watched: WorkerVolume;
let mount: string;
let said: string[];

async function attach(fileSystem: FileSystem): Promise<void> {
  const directory = await scratchDirectory(cleanup);
  ({ volume, watched, mount } = await attachWatched(cleanup, directory, "vol", fileSystem));
  mkdirSync(join(mount, "log"));
  mkdirSync(join(mount, "data"));
  writeFileSync(join(mount, "data", "ledger"), Buffer.alloc(MIB, 1));
  await mustRun("sync", ["-f", mount]);
}

beforeEach(() => {
  said = [];
});

function wait(quiet: Partial<OpenFile["quiet"]>, native = nativeDirectory) {
  const wish = { minimumMs: 300, timeoutMs: 1500, atTimeout: "snapshot" as const, ignorePaths: [], ...quiet };
  const signal = new AbortController().signal;
  const tell = (_: string, text: string) => void said.push(text);
  return awaitQuiet([watched], wish, { signal, mode: "allAtOnce", native, tell });
}

const ignoringLog = () => ({ ignorePaths: [join(mount, "log")], timeoutMs: 20_000 });

/** Runs `step` again and again, `n` counting, with the volume's mount point as its directory. */
async function writer(step: string): Promise<BackgroundProgram> {
  const script = `cd "$1" && n=0 && while :; do n=$((n+1)); ${step}; [ $n = 3 ] && echo going; sleep 0.02; done`;
  const program = new BackgroundProgram(cleanup, "/bin/sh", ["-c", script, "writer", mount]);
  await vi.waitUntil(() => program.output.includes("going"), { timeout: 20_000, interval: 5 });
  return program;
}

/** A program of Debian's `fio` that writes to a file that is there already. */
async function fio(file: string, ...how: string[]): Promise<BackgroundProgram> {
  await mustRun("fio", ["--name=lay", `--filename=${file}`, "--rw=write", "--bs=64k", "--size=1m", "--end_fsync=1"]);
  const args = ["--name=foreign", `--filename=${file}`, "--rw=randwrite", "--bs=4k", "--size=1m", "--overwrite=1"];
  const ever = ["--thread", "--time_based", "--runtime=60", "--thinktime=50ms", "--status-interval=200ms"];
  return new BackgroundProgram(cleanup, "fio", [...args, ...ever, ...how]);
}

/** All that a program does with its files: append, overwrite, shorten, and rotate by a new name and a new file. */
const append = 'echo "line $n" >> log/app.log; sync -d log/app.log';
const steps = [
  append,
  "dd if=/dev/zero of=log/db bs=4k count=1 seek=$((n % 50)) conv=notrunc,fsync status=none",
  "[ $((n % 4)) = 0 ] && : > log/app.log",
  "[ $((n % 5)) = 0 ] && mv log/app.log log/app.log.1 && : > log/app.log",
];

const mapped: [string, string[]] = ["through a mapping", ["--ioengine=mmap", "--fsync=1"]];
/** Only what is written plainly is seen where files are written; the rest is seen where the device is. */
const foreignTo: Record<FileSystem, [string, string[]][]> = {
  ext4: [
    ["plainly", ["--ioengine=psync", "--fsync=1"]],
    mapped,
    ["asynchronously past the cache", ["--ioengine=libaio", "--direct=1"]],
  ],
  xfs: [mapped],
};

/** Nobody writes to it any more, and nothing of it waits to be written back. */
async function settle(): Promise<void> {
  await mustRun("sync", ["-f", mount]);
  await pause(50);
}

describe.each(["ext4", "xfs"] as const)("on %s", (fileSystem) => {
  beforeEach(() => attach(fileSystem));

  it("a program that writes all the time lets no window come, unless its directory is ignored", async () => {
    const { pid } = await writer(steps.join("; "));
    expect(await wait({ timeoutMs: 500 })).toMatchObject({ timedOut: true });
    expect(await wait(ignoringLog()), said.join("\n")).toMatchObject({ timedOut: false });
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(new RegExp(`^writes to ${join(mount, "log")} were ignored: .*\\d+ by sh \\(pid ${pid}\\)`));
  });

  it.each(foreignTo[fileSystem])("one that writes %s beside them spoils every window", async (_, how) => {
    await writer(append);
    const foreign = await fio(join(mount, "data", "ledger"), ...how);
    await vi.waitUntil(() => foreign.output.includes("IOPS"), { timeout: 20_000, interval: 5 });
    expect(await wait({ ...ignoringLog(), timeoutMs: 700 }), said.join("\n")).toMatchObject({ timedOut: true });
    expect(foreign.running, foreign.output).toBe(true);
  });
});

describe("ignored paths", () => {
  beforeEach(() => attach("ext4"));

  it("are ignored on after the engine was killed, and what is written elsewhere meanwhile counts", async () => {
    await writer(append);
    const waiting = wait({ ...ignoringLog(), minimumMs: 1000 });
    await pause(400);
    const begun = performance.now();
    process.kill(await volume.enginePid(), "SIGKILL");
    await mustRun("dd", [`of=${join(mount, "data", "ledger")}`, "if=/dev/zero", "bs=4k", "count=1", "oflag=direct"]);
    expect(await waiting, said.join("\n")).toMatchObject({ timedOut: false });
    expect(performance.now() - begun).toBeGreaterThan(1000);
  });

  it("are ignored on after the program that tells them was killed, by another one", async () => {
    await writer(append);
    const waiting = wait({ ...ignoringLog(), minimumMs: 1000 });
    await killWatcher();
    expect(await waiting, said.join("\n")).toMatchObject({ timedOut: false });
    expect(said).toEqual([
      expect.stringMatching(/SIGKILL; it was started again/),
      expect.stringMatching(/were ignored:/),
    ]);
  });

  it("do not hide what is written elsewhere while that program is away, long before it is written back", async () => {
    await settle();
    const waiting = wait({ ...ignoringLog(), minimumMs: 1000 });
    await killWatcher();
    appendFileSync(join(mount, "data", "ledger"), "line");
    const written = Date.now();
    const { from } = await waiting;
    expect(Date.parse(from ?? ""), said.join("\n")).toBeGreaterThanOrEqual(written);
  });

  it("count, and a warning says so, where that program is killed again and again", async () => {
    await writer(append);
    const waiting = wait({ ...ignoringLog(), minimumMs: 1000, timeoutMs: 4000 });
    for (const before of [0, 1, 2, 3]) {
      await vi.waitUntil(() => said.length === before, { timeout: 4000, interval: 5 });
      await killWatcher();
    }
    expect(await waiting).toMatchObject({ timedOut: true });
    const again = expect.stringMatching(/SIGKILL; it was started again/);
    expect(said).toEqual([again, again, again, expect.stringMatching(/on vol count for the quiet window: .*SIGKILL/)]);
  });

  it("count, and a warning says so, where that program cannot be started again", async () => {
    const native = await scratchDirectory(cleanup);
    const program = join(native, "stillframe-watch");
    symlinkSync(nativeProgram("stillframe-watch"), program);
    await writer(append);
    const waiting = wait({ ...ignoringLog(), minimumMs: 1000, timeoutMs: 1500 }, native);
    await vi.waitUntil(() => watchPrograms().length === 1, { timeout: 1000, interval: 5 });
    rmSync(program);
    await killWatcher();
    expect(await waiting).toMatchObject({ timedOut: true });
    expect(said).toEqual([expect.stringMatching(/on vol count for .*SIGKILL, and cannot be started again: .*ENOENT/)]);
  });

  it("hold nobody up whose program does not answer, as over an engine that hangs", async () => {
    const begun = performance.now();
    const waiting = wait({ ...ignoringLog(), minimumMs: 10_000, timeoutMs: 900 });
    await pause(400);
    const programs = watchPrograms();
    expect(programs).toHaveLength(1);
    for (const pid of programs) process.kill(pid, "SIGSTOP");
    expect(await waiting).toMatchObject({ timedOut: true });
    expect(performance.now() - begun).toBeLessThan(9000);
    await vi.waitUntil(() => watchPrograms().length === 0, { timeout: 5000, interval: 20 });
  });

  it("leave nothing behind: the program ends with the wait, and the volume can be unmounted", async () => {
    await wait(ignoringLog());
    expect(watchPrograms()).toEqual([]);
    await mustRun("umount", [mount]);
  });

  it("may have any names, be many, and not be there yet", async () => {
    const deep = join(mount, "log", "new\nline", "ü ");
    mkdirSync(deep, { recursive: true });
    const odd = Buffer.concat([Buffer.from(`${deep}/`), Buffer.from([0xff, 0xfe])]);
    for (let n = 0; n < 3000; n += 1) writeFileSync(join(deep, `f${n}`), "x");
    writeFileSync(odd, "");
    await settle();
    await writer(`echo x >> "$(printf 'log/new\\nline/ü /\\377\\376')"; echo y >> log/later; sync -f .`);
    expect(await wait({ timeoutMs: 500 })).toMatchObject({ timedOut: true });
    const ignorePaths = [`${mount}//log/new\nline/`, join(mount, "log", "later"), "/nowhere", join(mount, "absent")];
    expect(await wait({ ...ignoringLog(), ignorePaths }), said.join("\n")).toMatchObject({ timedOut: false });
    expect(said).toHaveLength(2);
  });

  it("count what a program writes elsewhere from when it does, long before that is written back", async () => {
    await writer(`${append}; echo "line $n" >> data/diary`);
    expect(await wait({ ...ignoringLog(), timeoutMs: 900 })).toMatchObject({ timedOut: true });
  });

  it("have no effect on a file that has another name outside", async () => {
    linkSync(join(mount, "data", "ledger"), join(mount, "log", "ledger"));
    await settle();
    const foreign = await fio(join(mount, "log", "ledger"), "--ioengine=libaio", "--direct=1");
    await vi.waitUntil(() => foreign.output.includes("IOPS"), { timeout: 20_000, interval: 5 });
    expect(await wait({ ...ignoringLog(), timeoutMs: 600 })).toMatchObject({ timedOut: true });
  });

  it("count where data of files may lie in the journal", async () => {
    await mustRun("umount", [mount]);
    await mustRun("mount", ["-o", "data=journal", volume.device, mount]);
    await writer(append);
    expect(await wait({ ...ignoringLog(), timeoutMs: 500 })).toMatchObject({ timedOut: true });
    expect(said).toEqual([expect.stringContaining("data=journal")]);
  });
});

/** As an online defragmentation does; neither file gets new times. */
const swapPlaces = (one: string, other: string, blocks: number) =>
  mustRun("perl", ["-e", EXCHANGE, one, other, String(blocks)]);
const EXCHANGE = `
open(my $one, "+<", $ARGV[0]) && open(my $other, "+<", $ARGV[1]) or die "$!";
ioctl($one, 0xC028660F, pack("LLQQQQ", 0, fileno($other), 0, 0, $ARGV[2], 0)) or die "$!"; # EXT4_IOC_MOVE_EXT
`;

it("hide for seconds at most what is written to a place that an ignored file had before it was defragmented", async () => {
  await attach("ext4");
  const [file, ledger] = [join(mount, "log", "file"), join(mount, "data", "ledger")];
  writeFileSync(file, Buffer.alloc(MIB, 2));
  await settle();
  await writer(append);
  const foreign = await fio(ledger, "--ioengine=mmap", "--fsync=1", "--startdelay=4");
  await pause(3000); // its times are old enough to go by
  const waiting = wait({ ...ignoringLog(), minimumMs: 5000, timeoutMs: 12_000 });
  await pause(500);
  await swapPlaces(file, ledger, MIB / statfsSync(mount).bsize);
  expect(await waiting, said.join("\n")).toMatchObject({ timedOut: true });
  expect(foreign.running, foreign.output).toBe(true);
});

describe("without a window", () => {
  it("it is told who wrote to which files how often, and not what was ignored", async () => {
    await attach("xfs");
    const busy = await writer("echo x >> data/diary; echo y >> data/diary; echo z >> data/other; sync -f .");
    const ignored = await writer(append);
    const failed = await wait({ ...ignoringLog(), timeoutMs: 1500, atTimeout: "fail" }).catch((e: unknown) => e);
    const evidence = failed instanceof FaultError ? noQuietEvidence.parse(failed.detail.evidence) : null;
    const found = evidence?.writers.find(({ pid }) => pid === busy.pid);
    expect(found?.paths).toEqual([join(mount, "data", "diary"), join(mount, "data", "other")]);
    expect(found?.writes).toBeGreaterThan(10);
    expect(evidence?.writers.map(({ pid }) => pid)).not.toContain(ignored.pid);
  });
});

/** Once it watches. */
async function killWatcher(): Promise<void> {
  await vi.waitUntil(() => watchPrograms().length === 1, { timeout: 2000, interval: 5 });
  await pause(300);
  for (const pid of watchPrograms()) process.kill(pid, "SIGKILL");
}
