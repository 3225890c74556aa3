/** `stillframe exec`: any program sees frozen data at the original path while the live file changes. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runProgram } from "@/server/worker/programs/run-program";
import { BackgroundProgram } from "../fixtures/background-program";
import { Cleanup, cleanupAfterEach } from "../fixtures/cleanup";
import { Installation } from "../fixtures/installation";
import { pause } from "../fixtures/native-program";

const whole = new Cleanup();
const cleanup = cleanupAfterEach();
let here: Installation;

beforeAll(async () => {
  here = await Installation.start(whole, { programs: "worker" });
  await here.must("practice", "create", "alpha", "--size", "128M");
  await here.must("practice", "create", "beta", "--size", "320M", "--fs", "xfs");
});
afterAll(() => whole.run());

const quick = ["--min-quiet", "0"];

async function appears(path: string): Promise<void> {
  for (let waited = 0; waited < 30_000; waited += 50) {
    if (existsSync(path)) return;
    await pause(50);
  }
  throw new Error(`${path} did not appear`);
}

async function nothingOpen(): Promise<void> {
  for (let waited = 0; waited < 15_000; waited += 100) {
    const open = await here.json<unknown[]>("snapshot", "list");
    if (open.length === 0 && namespaces().length === 0 && here.openCacheFiles().length === 0) return;
    await pause(100);
  }
  const open = await here.json<unknown[]>("snapshot", "list");
  expect({ open, namespaces: namespaces(), caches: here.openCacheFiles() }).toEqual({
    open: [],
    namespaces: [],
    caches: [],
  });
}

function namespaces(): string[] {
  const directory = join(here.run, "ns");
  return existsSync(directory) ? readdirSync(directory) : [];
}

/** A command that says when it is inside, and goes on when the live file has changed. */
function paused(name: string, command: string) {
  const ready = here.path(`${name}.ready`);
  const go = here.path(`${name}.go`);
  const script = `touch '${ready}'; while [ ! -e '${go}' ]; do sleep 0.05; done; ${command}`;
  return { ready, go, script };
}

interface Report {
  exitCode: number;
  mode: string;
  volumes: { name: string; provider: string; takenAt: string; cacheUsedBytes: number; code: string | null }[];
}

const reportIn = (name: string) => JSON.parse(readFileSync(here.path(name), "utf8")) as Report;

describe.each(["alpha", "beta"])("frozen data of %s at its original path", (volume) => {
  test("tar packs the old contents while the live file has the new", async () => {
    const live = join(here.mount(volume), "orders.db");
    const before = Buffer.alloc(3_000_000, "old ");
    const after = Buffer.alloc(3_000_000, "new ");
    writeFileSync(live, before, { flush: true });
    const { ready, go, script } = paused(
      `tar-${volume}`,
      `tar -C '${here.mount(volume)}' -cf '${here.path("t.tar")}' .`,
    );
    const report = here.path("report.json");
    const exec = here.background(
      cleanup,
      ...["exec", "--volume", volume, ...quick, "--report", report, "--", "sh", "-c", script],
    );
    await appears(ready);
    writeFileSync(live, after, { flush: true });
    writeFileSync(join(here.mount(volume), "younger"), "made after the snapshot");
    writeFileSync(go, "");
    await exec.mustSucceed();

    const out = here.path(`out-${volume}`);
    mkdirSync(out);
    await runProgram("tar", ["-C", out, "-xf", here.path("t.tar")]);
    expect(readFileSync(join(out, "orders.db")).equals(before)).toBe(true);
    expect(existsSync(join(out, "younger"))).toBe(false);
    expect(readFileSync(live).equals(after)).toBe(true);

    const told = reportIn("report.json");
    expect(told).toMatchObject({ exitCode: 0, mode: "allAtOnce" });
    expect(told.volumes).toHaveLength(1);
    expect(told.volumes[0]).toMatchObject({ name: volume, provider: "engine", code: null });
    expect(told.volumes[0]?.takenAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d\d:\d\d)$/);
    await nothingOpen();
  });
});

test("restic backs up the old contents of two volumes while both change", async () => {
  const env = { RESTIC_REPOSITORY: here.path("repository"), RESTIC_PASSWORD: "p", RESTIC_CACHE_DIR: here.path("rc") };
  await runProgram("restic", ["init"], { env });
  const files = ["alpha", "beta"].map((volume) => join(here.mount(volume), "ledger"));
  for (const file of files) writeFileSync(file, "page 1", { flush: true });
  const { ready, go, script } = paused("restic", "restic backup --quiet $STILLFRAME_PATHS");
  Object.assign(process.env, env);
  cleanup.add("restic's variables", () => Object.keys(env).map((name) => delete process.env[name]));
  const exec = here.background(
    cleanup,
    ...["exec", "--volume", "alpha", "--volume", "beta", ...quick, "--", "sh", "-c", script],
  );
  await appears(ready);
  for (const file of files) writeFileSync(file, "page 2", { flush: true });
  writeFileSync(go, "");
  await exec.mustSucceed();
  await runProgram("restic", ["restore", "latest", "--target", here.path("restored")], { env });
  for (const file of files) {
    expect(readFileSync(here.path("restored") + file, "utf8")).toBe("page 1");
    expect(readFileSync(file, "utf8")).toBe("page 2");
  }
  await nothingOpen();
});

describe("the exit code", () => {
  test.each([
    ["true", 0],
    ["exit 7", 7],
    ["exit 255", 255],
    ["kill -TERM $$", 143],
    ["kill -KILL $$", 137],
  ])("of `%s` is passed on as %d", async (script, exitCode) => {
    const result = await here.cli("exec", "--volume", "alpha", ...quick, "--", "sh", "-c", script);
    expect(result.exitCode).toBe(exitCode);
    await nothingOpen();
  });

  test("of a program that does not exist is 127", async () => {
    const result = await here.cli("exec", "--volume", "alpha", ...quick, "--", "no-such-program-here");
    expect(result.exitCode).toBe(127);
    await nothingOpen();
  });

  test("is a failure when no snapshot could be had, and the command is not run", async () => {
    const mark = here.path("must-not-exist");
    const result = await here.cli("exec", "--volume", "gamma", ...quick, "--", "touch", mark);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain("gamma");
    expect(existsSync(mark)).toBe(false);
  });
});

test("one at a time runs the command for each volume in turn and ends with the first failure", async () => {
  const log = here.path("turns");
  const script = `echo "$STILLFRAME_VOLUME $STILLFRAME_PATHS" >> '${log}'; [ "$STILLFRAME_VOLUME" = beta ] || exit 5`;
  const report = here.path("turns.json");
  const result = await here.cli(
    ...["exec", "--volume", "alpha", "--volume", "beta", "--one-at-a-time", ...quick],
    ...["--report", report, "--", "sh", "-c", script],
  );
  expect(result.exitCode).toBe(5);
  expect(readFileSync(log, "utf8")).toBe(`alpha ${here.mount("alpha")}\nbeta ${here.mount("beta")}\n`);
  const told = reportIn("turns.json");
  expect(told).toMatchObject({ exitCode: 5, mode: "oneAtATime" });
  expect(told.volumes.map((volume) => volume.name)).toEqual(["alpha", "beta"]);
  expect(told.volumes[0]?.takenAt).not.toBe(told.volumes[1]?.takenAt);
  await nothingOpen();
});

test("the frozen image cannot be written to, and the live volume can meanwhile", async () => {
  const frozen = join(here.mount("alpha"), "intruder");
  const result = await here.cli("exec", "--volume", "alpha", ...quick, "--", "touch", frozen);
  expect(result.exitCode).not.toBe(0);
  expect(result.stderr).toMatch(/read-only/i);
  expect(existsSync(frozen)).toBe(false);
});

describe("nothing is left", () => {
  test.each(["SIGINT", "SIGTERM"] as const)("after %s, and the exit code says so", async (name) => {
    const { ready, script } = paused(name, "true");
    const exec = here.background(cleanup, ...["exec", "--volume", "alpha", ...quick, "--", "sh", "-c", script]);
    await appears(ready);
    process.kill(exec.pid, name);
    const { exitCode } = await exec.ended;
    expect(exitCode).toBe(name === "SIGINT" ? 130 : 143);
    await nothingOpen();
  });

  test("when the command line itself is killed", async () => {
    const { ready, script } = paused("killed", "true");
    const exec = here.background(cleanup, ...["exec", "--volume", "alpha", ...quick, "--", "sh", "-c", script]);
    await appears(ready);
    process.kill(exec.pid, "SIGKILL");
    await exec.ended;
    await nothingOpen();
  });
});

describe("a quiet window that never came", () => {
  /** Longer than anything rests in so short a wait. */
  const restless = ["--min-quiet", "30s", "--quiet-timeout", "300ms"];
  const missed = "no quiet window of 30 s within 300 ms; the snapshot is taken anyway";

  test("is told by exec, whose command runs", async () => {
    const result = await here.cli("exec", "--volume", "alpha", ...restless, "--", "true");
    expect(result.stderr).toContain(missed);
    expect(result.exitCode).toBe(0);
  });

  test("is told by snapshot create, on standard error only", async () => {
    const result = await here.cli("snapshot", "create", "alpha", ...restless, "--json");
    expect(result.exitCode).toBe(0);
    expect(result.stderr).toContain(missed);
    const made = JSON.parse(result.stdout) as { snapshots: { id: string }[] };
    await here.must("snapshot", "release", ...made.snapshots.map(({ id }) => id));
  });
});

test("a program that writes to an ignored path alone leaves exec its quiet window, and is named", async () => {
  const log = join(here.mount("alpha"), "app.log");
  const script = 'while :; do echo x >> "$1"; sync "$1"; sleep 0.02; done';
  const writer = new BackgroundProgram(cleanup, "/bin/sh", ["-c", script, "writer", log]);
  await appears(log);
  const window = ["--volume", "alpha", "--min-quiet", "300", "--quiet-timeout", "20s", "--ignore-path", log];
  const result = await here.cli("exec", ...window, "--", "true");
  expect(result.stderr.trim()).toMatch(/^stillframe: writes to \S+app\.log were ignored: \d+ by sh \(pid \d+\)$/);
  expect(result.stderr).toContain(`(pid ${writer.pid})`);
  expect(result.exitCode).toBe(0);
});
