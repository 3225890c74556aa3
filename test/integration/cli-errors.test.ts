/** Mistakes on the command line: each gets a clear error and the right exit code, and nothing is lost. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runProgram } from "@/server/worker/programs/run-program";
import { BackgroundProgram } from "../fixtures/background-program";
import { Cleanup, cleanupAfterEach } from "../fixtures/cleanup";
import { Installation } from "../fixtures/installation";

const whole = new Cleanup();
const cleanup = cleanupAfterEach();
let here: Installation;
let kept: string;

beforeAll(async () => {
  here = await Installation.start(whole, { programs: "worker" });
  await here.must("practice", "create", "alpha", "--size", "128M");
  kept = join(here.mount("alpha"), "kept");
  writeFileSync(kept, "still here");
});
afterAll(() => whole.run());

describe("wrong usage ends with 2 and names what is wrong", () => {
  test.each<[string[], RegExp]>([
    [["practice", "create", "x", "--size", "lots"], /"lots" is not a size/],
    [["practice", "create", "x", "--size", "-5M"], /size/],
    [["practice", "create", "x", "--size", "1M"], /at least 64 MiB/],
    [["practice", "create", "x", "--size", "9000000P"], /too large/],
    [["practice", "create", "x"], /--size/],
    [["practice", "create", "x", "--size", "128M", "--fs", "ntfs"], /ext4, xfs/],
    [["practice", "create", "a/b", "--size", "128M"], /slash/],
    [["practice", "create", "", "--size", "128M"], /empty/],
    [["exec", "--volume", "alpha"], /command/],
    [["exec", "--", "true"], /--volume/],
    [["exec", "--volume", "alpha", "--min-quiet", "soon", "--", "true"], /milliseconds/],
    [["exec", "--volume", "alpha", "--min-quiet", "90000", "--", "true"], /--min-quiet .*at most 60 s/],
    [
      ["snapshot", "create", "alpha", "--cache-max", "12"],
      /--cache-max \(openFile\.cache\.maxBytes\): must be at least 1 MiB/,
    ],
    [["snapshot", "create", "alpha", "--cache-initial", "8M", "--cache-max", "4M"], /maximum/],
    [["job", "create", "--name", "x", "--volume", "alpha"], /--restic/],
    [["job", "create", "--file", "/nowhere/job.json"], /cannot read/],
    [["settings", "set"], /what to set/],
    [["restore", "1"], /--to/],
    [["volume", "lists"], /lists/],
    [["volume", "upgrade"], /--all/],
    [["explain", "SF-999"], /SF-101, SF-102/],
    [["no-such-command"], /no-such-command/],
  ])("stillframe %j", async (args, said) => {
    const result = await here.cli(...args);
    expect(result.stderr).toMatch(said);
    expect(result.exitCode).toBe(2);
    expect(result.stdout).toBe("");
  });
});

test.each(["a000851c", "0xA000851C", "ofo-quiet"])(
  "stillframe explain %s: a code however it is written",
  async (code) => {
    const result = await here.cli("explain", code);
    expect(result.exitCode).toBe(0);
    expect(result.stdout).toContain(code.includes("851") ? "(0xa000851c)" : "quiet time window");
  },
);

describe("what cannot be done ends with an error that says why", () => {
  test("a volume that is not there", async () => {
    for (const args of [
      ["volume", "detach", "nobody"],
      ["volume", "upgrade", "nobody"],
      ["practice", "remove", "nobody"],
      ["snapshot", "create", "nobody"],
      ["snapshot", "release", "nobody"],
    ]) {
      const result = await here.cli(...args);
      expect(result.stderr).toContain("nobody");
      expect(result.exitCode).toBe(1);
    }
  });

  test("a source that is not there", async () => {
    const result = await here.cli("volume", "attach", here.path("no.img"), "--mount", here.path("m"));
    expect(result.stderr).toContain("no.img");
    expect([1, 2]).toContain(result.exitCode);
  });

  test("an image that is too small", async () => {
    const image = here.file("tiny.img", Buffer.alloc(4096));
    const result = await here.cli("volume", "attach", image, "--name", "tiny");
    expect(result.stderr).toMatch(/small|MiB/i);
    expect(result.exitCode).not.toBe(0);
    expect(await names()).not.toContain("tiny");
  });

  test("an image that is attached already", async () => {
    const [alpha] = await here
      .json<{ source: string }[]>("volume", "list")
      .then((all) => all.filter((volume) => volume.source.startsWith(here.home)));
    const result = await here.cli("volume", "attach", alpha?.source ?? "", "--name", "twice");
    expect(result.stderr).toMatch(/attached|in use|busy/i);
    expect(result.exitCode).toBe(1);
  });

  test("a name that is taken", async () => {
    const result = await here.cli("practice", "create", "alpha", "--size", "128M");
    expect(result.stderr).toMatch(/alpha/);
    expect(result.exitCode).not.toBe(0);
  });

  test("a volume that somebody uses is not detached", async () => {
    const holder = new BackgroundProgram(cleanup, "tail", ["-f", kept]);
    const result = await here.cli("volume", "detach", "alpha");
    expect(result.stderr).toMatch(/use|busy/i);
    expect(result.exitCode).toBe(1);
    expect(await names()).toContain("alpha");
    await holder.stop();
  });

  test("a cache path that does not exist, is a file, or lies on the volume itself", async () => {
    const file = here.file("a-file", "");
    for (const path of [here.path("missing-directory"), file, here.mount("alpha")]) {
      const result = await here.cli("snapshot", "create", "alpha", "--min-quiet", "0", "--cache-location", path);
      expect(result.stderr).toContain(path);
      expect(result.exitCode).toBeGreaterThan(0);
      expect(await here.json("snapshot", "list")).toEqual([]);
    }
  });
});

test("names with spaces and letters of any script work from end to end", async () => {
  const name = "Größe der Bücher 日本語";
  await here.must("practice", "create", name, "--size", "64M");
  writeFileSync(join(here.mount(name), "datei ä.txt"), "inhalt", { flush: true });
  const result = await here.cli(
    ...["exec", "--volume", name, "--min-quiet", "0", "--", "sh", "-c", 'cat "$STILLFRAME_PATHS/datei ä.txt"'],
  );
  expect(result.stdout).toBe("inhalt");
  const made = await here.json<{ snapshots: { id: string; volume: string }[] }>(
    ...["snapshot", "create", name, "--min-quiet", "0"],
  );
  expect(made.snapshots[0]?.volume).toBe(name);
  await here.must("snapshot", "release", made.snapshots[0]?.id ?? "");
  await here.must("practice", "remove", name);
  expect(await names()).not.toContain(name);
});

test("every command has help with an example", async () => {
  const groups = {
    volume: ["list", "attach", "detach"],
    practice: ["create", "remove"],
    snapshot: ["create", "list", "mount", "release"],
    job: ["list", "create", "run", "remove"],
    run: ["list", "show", "log", "cancel"],
    settings: ["get", "set", "import-reg"],
  };
  const commands = [["up"], ["console"], ["worker"], ["doctor"], ["exec"], ["restore"], ["explain"]];
  for (const [group, members] of Object.entries(groups)) for (const member of members) commands.push([group, member]);
  for (const command of commands) {
    const result = await here.cli(...command, "--help");
    expect(result.exitCode).toBe(0);
    expect(result.stdout).toContain("Examples:");
    expect(result.stdout).toContain(`stillframe ${command.join(" ")}`);
  }
});

test("without a worker the error says where it looked and what to do", async () => {
  const result = await runProgram(process.execPath, [`${import.meta.dirname}/../../dist/cli.js`, "volume", "list"], {
    env: { STILLFRAME_HOME: here.path("elsewhere"), STILLFRAME_RUN: here.path("elsewhere") },
  });
  expect(result.exitCode).toBe(1);
  expect(result.stderr).toContain("OFO-COMM");
  expect(result.stderr).toContain(here.path("elsewhere"));
  expect(result.stderr).toContain("npm start");
});

test("the doctor finds a worker that does not run", async () => {
  const result = await runProgram(process.execPath, [`${import.meta.dirname}/../../dist/cli.js`, "doctor", "--json"], {
    env: { STILLFRAME_HOME: here.path("elsewhere"), STILLFRAME_RUN: here.path("elsewhere") },
  });
  expect(result.exitCode).toBe(1);
  expect(JSON.parse(result.stdout)).toMatchObject({
    ok: false,
    checks: [{ name: "worker", ok: false, required: true }],
  });
});

test("the doctor's self-test works here, and it tells of every transport", async () => {
  const found = await here.json<{ ok: boolean; checks: { name: string; ok: boolean; detail: string }[] }>("doctor");
  expect(found.ok).toBe(true);
  const transports = found.checks.filter(({ name }) => name.startsWith("transport "));
  expect(Object.fromEntries(transports.map(({ name, ok }) => [name, ok]))).toMatchObject({
    "transport fuse_loop": true,
    "transport nbd": true,
    "transport ublk": existsSync("/dev/ublk-control"),
  });
  for (const { name, detail } of transports) expect(detail, name).not.toBe("");
});

test("after all these mistakes the data is what it was", () => {
  expect(readFileSync(kept, "utf8")).toBe("still here");
});

async function names(): Promise<string[]> {
  return (await here.json<{ name: string }[]>("volume", "list")).map((volume) => volume.name);
}
