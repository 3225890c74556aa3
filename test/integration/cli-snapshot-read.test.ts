/** `stillframe snapshot read`: the whole image in order, its cache freed behind the reader, and what may come between. */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { mustRun } from "@/server/worker/programs/run-program";
import { Cleanup, cleanupAfterEach } from "../fixtures/cleanup";
import { commandLine, runCommandLine } from "../fixtures/command-line";
import { hashOf } from "../fixtures/device-hash";
import { WorkerUnderTest } from "../fixtures/worker-under-test";

const MIB = 1024 * 1024;
const SIZE = 96 * MIB;
const DATA = 32 * MIB;
const whole = new Cleanup();
const cleanup = cleanupAfterEach();
let worker: WorkerUnderTest;

beforeAll(async () => {
  worker = await WorkerUnderTest.start(whole);
  await worker.host.host("practice.create", { name: "ledger", sizeBytes: SIZE });
  overwrite(0);
  mkdirSync(worker.path("out"));
});
afterAll(() => whole.run());
afterEach(async () => {
  for (const { id } of await open()) await worker.host.host("snapshot.release", { id });
});

const stillframe = (...args: string[]) => runCommandLine(worker, ["snapshot", ...args]);
const open = () => worker.host.host("snapshot.list", {});
const found = async (id: string) => (await open()).find((one) => one.id === id);
const output = () => join(worker.path("out"), "ledger.img");

/** All data of the volume, in place, durably. */
function overwrite(byte: number): void {
  const flag = existsSync(join(worker.mount("ledger"), "data")) ? "r+" : "w";
  writeFileSync(join(worker.mount("ledger"), "data"), Buffer.alloc(DATA, byte), { flag, flush: true });
}

/** A snapshot and the hash of its image. */
async function taken(maxBytes = SIZE): Promise<{ id: string; device: string; hash: string }> {
  const openFile = { quiet: { minimumMs: 0 }, cache: { maxBytes } };
  const made = await worker.host.host("snapshot.create", { volumes: ["ledger"], openFile });
  const { id = "", device } = made.snapshots[0] ?? {};
  return { id, device: device ?? "", hash: await hashOf(device ?? "") };
}

/** A copy to a pipe, of which as much is read as the test says. */
class Reader {
  readonly process: ChildProcess & { stdout: Readable };
  readonly ended: Promise<number | null>;
  stderr = "";
  private readonly hash = createHash("sha256");
  private readonly chunks: AsyncIterator<Buffer>;
  private bytes = 0;

  constructor(...args: string[]) {
    const [program, rest] = commandLine(worker, ["snapshot", "read", ...args]);
    const child = spawn(program, rest, { stdio: ["ignore", "pipe", "pipe"] });
    child.stderr.on("data", (text: Buffer) => {
      this.stderr += text.toString();
    });
    this.process = child;
    this.ended = new Promise((done) => child.on("close", (code) => done(code)));
    this.chunks = child.stdout[Symbol.asyncIterator]();
    cleanup.add("end the reader", async () => {
      child.kill("SIGKILL");
      await this.ended;
    });
  }

  /** Reads on up to there, or to the end. */
  async upTo(bytes: number): Promise<void> {
    while (this.bytes < bytes) {
      const { value, done } = await this.chunks.next();
      if (done) return;
      this.hash.update(value);
      this.bytes += value.length;
    }
  }

  async rest(): Promise<{ exitCode: number | null; hash: string; bytes: number }> {
    await this.upTo(Number.POSITIVE_INFINITY);
    return { exitCode: await this.ended, hash: this.hash.digest("hex"), bytes: this.bytes };
  }
}

test("what was free at the instant takes no cache, unless it is asked for", async () => {
  const added = join(worker.mount("ledger"), "added");
  for (const [options, kept] of [
    [[], false],
    [["--no-skip-free"], true],
  ] as const) {
    const made = await stillframe("create", "ledger", "--min-quiet", "0", "--json", ...options);
    expect(made.exitCode, made.stderr).toBe(0);
    const id: string = JSON.parse(made.stdout).snapshots[0].id;
    writeFileSync(added, Buffer.alloc(4 * MIB, 7), { flush: true });
    const { skippedFreeBlocks, cacheUsedBytes } = (await found(id)) ?? {};
    if (kept) expect(skippedFreeBlocks).toBe(0);
    else expect(skippedFreeBlocks).toBeGreaterThanOrEqual(1024);
    expect((cacheUsedBytes ?? 0) >= 4 * MIB).toBe(kept);
    await worker.host.host("snapshot.release", { id });
    await mustRun("rm", [added]);
    await mustRun("sync", ["--file-system", worker.mount("ledger")]);
  }
});

describe("to a file", () => {
  test("is the image at its instant, with holes for zeros; the snapshot stays, or is released", async () => {
    const { id, hash } = await taken();
    overwrite(1);
    const { exitCode, stdout, stderr } = await stillframe("read", id, "--output", output(), "--json");
    expect(exitCode, stderr).toBe(0);
    const told = JSON.parse(stdout);
    expect(told).toMatchObject({ id, volume: "ledger", sizeBytes: SIZE, cacheFreedBytes: 0, released: false });
    expect(await hashOf(output())).toBe(hash);
    expect(statSync(output()).blocks * 512).toBeLessThanOrEqual(told.writtenBytes + 64 * 1024);
    expect(told.writtenBytes).toBeLessThan(SIZE / 2);
    await mustRun("e2fsck", ["-fn", output()]);
    expect(await found(id)).toMatchObject({ state: "active", passed: false });

    const again = await stillframe("read", id, "--output", `${output()}.again`, "--release");
    expect(again.stdout).toContain(`is the image of "ledger" at `);
    expect(await hashOf(`${output()}.again`)).toBe(hash);
    expect(await open()).toEqual([]);
    await mustRun("rm", [output(), `${output()}.again`]);
  });

  test("of a disk that is full leaves nothing of it", async () => {
    const { id } = await taken();
    const copied = await stillframe("read", id, "--output", output(), "--json");
    await mustRun("rm", [output()]);
    // Also one that lacks a single page of what is to be written.
    for (const bytes of [8 * MIB, JSON.parse(copied.stdout).writtenBytes - 4096]) {
      const small = worker.path(`small-${bytes}`);
      mkdirSync(small);
      await mustRun("mount", ["-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", small]);
      cleanup.add("unmount the small disk", () => mustRun("umount", [small]));
      const { exitCode, stderr } = await stillframe("read", id, "--output", join(small, "image"));
      expect(exitCode, stderr).toBe(1);
      expect(stderr).toMatch(/image\.part could not be written: ENOSPC/);
      expect(readdirSync(small)).toEqual([]);
    }
  });

  test("is refused where it cannot be right, and nothing is lost", async () => {
    const { id } = await taken();
    writeFileSync(output(), "precious");
    const refused = async (...args: string[]) => {
      const { exitCode, stderr } = await stillframe("read", ...args);
      return [exitCode, stderr.split("\n")[0]];
    };
    expect(await refused(id, "--output", output())).toEqual([2, expect.stringMatching(/ledger\.img exists already/)]);
    const inside = join(worker.mount("ledger"), "copy");
    expect(await refused(id, "--output", inside)).toEqual([
      2,
      expect.stringMatching(/lies on the volume "ledger" itself/),
    ]);
    expect(await refused(id, "--output", "/no/such/place")).toEqual([
      2,
      expect.stringMatching(/^stillframe: --output: ENOENT/),
    ]);
    expect(await refused(id, "--json")).toEqual([2, expect.stringMatching(/--json goes with --output/)]);
    expect(await refused("nothing")).toEqual([1, expect.stringMatching(/there is no snapshot "nothing"/)]);
    expect(statSync(output()).size).toBe(8);
    expect(await found(id)).toMatchObject({ state: "active" });
    await mustRun("rm", [output()]);
  });
});

describe("freeing behind", () => {
  test("gives the cache back as it goes, and what is written behind the reader takes none", async () => {
    // Holds one time the data and no second.
    const { id, hash } = await taken(1.5 * DATA);
    overwrite(2);
    expect((await found(id))?.cacheUsedBytes).toBeGreaterThanOrEqual(DATA);
    const { exitCode, stdout, stderr } = await stillframe("read", id, "--output", output(), "--free-behind", "--json");
    expect(exitCode, stderr).toBe(0);
    expect(JSON.parse(stdout).cacheFreedBytes).toBeGreaterThanOrEqual(DATA);
    expect(await hashOf(output())).toBe(hash);
    overwrite(3);
    expect(await found(id)).toMatchObject({ state: "active", passed: true });
    expect((await found(id))?.cacheUsedBytes).toBeLessThan(MIB);

    const second = await stillframe("read", id, "--output", `${output()}.second`);
    expect([second.exitCode, second.stderr]).toEqual([1, expect.stringMatching(/was read before/)]);
    mkdirSync(worker.path("at"));
    const mounted = await stillframe("mount", id, worker.path("at"));
    expect([mounted.exitCode, mounted.stderr]).toEqual([1, expect.stringMatching(/can only be read on/)]);
    await mustRun("rm", [output()]);
  });

  test("is refused while the image is mounted", async () => {
    const { id, device, hash } = await taken();
    const at = worker.path("mounted");
    mkdirSync(at);
    expect((await stillframe("mount", id, at)).exitCode).toBe(0);
    const { exitCode, stderr } = await stillframe("read", id, "--output", output(), "--free-behind");
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining(`is mounted at ${at}`)]);
    expect(existsSync(output())).toBe(false);
    expect(await hashOf(device)).toBe(hash);
  });

  test("goes on without the worker, and with the next one", async () => {
    const { id, hash } = await taken();
    const reader = new Reader(id, "--free-behind", "--release");
    await reader.upTo(16 * MIB);
    await worker.kill();
    overwrite(4);
    await reader.upTo(48 * MIB);
    await worker.up();
    const end = await reader.rest();
    expect(end, reader.stderr).toEqual({ exitCode: 0, hash, bytes: SIZE });
    expect(reader.stderr).toMatch(/reading on, nothing is freed meanwhile/);
    expect(await open()).toEqual([]);
  });
});

describe("to a pipe", () => {
  test("whose reader is slow loses to the live volume when the cache is full, and says so", async () => {
    const { id } = await taken(16 * MIB);
    const reader = new Reader(id);
    await reader.upTo(MIB);
    overwrite(5);
    expect(await found(id)).toMatchObject({ state: "overflowed" });
    const { exitCode, bytes } = await reader.rest();
    expect(exitCode).toBe(1);
    expect(bytes).toBeLessThan(SIZE);
    expect(reader.stderr).toMatch(/lost: its cache of 16\.0 MiB was full[\s\S]*a000851c/);
    expect((await stillframe("read", id, "--output", output())).stderr).toMatch(/a000851c/);
    expect(existsSync(output())).toBe(false);
  });

  test("whose reader stands still is given up by Ctrl-C; the snapshot stays", async () => {
    const { id } = await taken();
    const reader = new Reader(id, "--release");
    await reader.upTo(MIB);
    reader.process.kill("SIGINT");
    expect((await reader.rest()).exitCode).toBe(130);
    expect(await found(id)).toMatchObject({ state: "active" });
  });

  test("whose reader ends fails; the snapshot stays", async () => {
    const { id } = await taken();
    const reader = new Reader(id, "--release");
    await reader.upTo(MIB);
    reader.process.stdout.destroy();
    expect(await reader.ended).toBe(1);
    expect(reader.stderr).toMatch(/what read standard output has ended/);
    expect(await found(id)).toMatchObject({ state: "active" });
  });

  test("or to a file that the shell opened is the whole image", async () => {
    const { id, hash } = await taken();
    const [program, args] = commandLine(worker, ["snapshot", "read", id]);
    await mustRun("sh", ["-c", `"$@" > '${output()}'`, "sh", program, ...args]);
    expect(await hashOf(output())).toBe(hash);
    expect(await new Reader(id).rest()).toEqual({ exitCode: 0, hash, bytes: SIZE });
    await mustRun("rm", [output()]);
  });
});
