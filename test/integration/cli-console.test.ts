/** `stillframe up` and everything that the command line asks the console: jobs, runs, restores, settings. */
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BackgroundProgram } from "../fixtures/background-program";
import { Cleanup, cleanupAfterEach } from "../fixtures/cleanup";
import { Installation } from "../fixtures/installation";

const port = 4124;
const whole = new Cleanup();
const cleanup = cleanupAfterEach();
let here: Installation;

beforeAll(async () => {
  here = await Installation.start(whole, { programs: { upOnPort: port } });
  await here.must("practice", "create", "alpha", "--size", "128M", "--writer");
  await here.must("practice", "create", "beta", "--size", "320M", "--fs", "xfs", "--writer");
  writeFileSync(join(here.mount("alpha"), "letter ä.txt"), "dear reader", { flush: true });
});
afterAll(() => whole.run());

interface RunDocument {
  id: string;
  job: string;
  mode: string;
  state: string;
  code: string | null;
  startedAt: string;
  endedAt: string;
  volumes: { name: string; provider: string; takenAt: string; state: string; code: string | null; bytesRead: number }[];
}

const quick = ["--min-quiet", "0"];

describe("up", () => {
  test("prints the address and a link that works once, and keeps its state private", () => {
    expect(here.output).toContain(`http://127.0.0.1:${port}`);
    expect(here.output).toMatch(/works once: http:\/\/127\.0\.0\.1:4124\/\S+/);
    for (const path of [here.home, join(here.home, "console"), join(here.home, "worker"), here.run]) {
      expect(statSync(path).mode & 0o077).toBe(0);
    }
    for (const path of ["console/console.db", "console/secret.key", "worker/worker.key"]) {
      expect(statSync(join(here.home, path)).mode & 0o077).toBe(0);
    }
  });

  test("refuses a second one on the same home", async () => {
    const second = await here.cli("up", "--port", String(port + 1));
    expect(second.exitCode).toBe(1);
    expect(second.stderr).toContain("already running");
    expect(second.stderr).toContain(here.home);
  });

  test("refuses a port that is taken, and names the next", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(port + 2, "127.0.0.1", resolve));
    cleanup.add("the other program", () => new Promise((resolve) => other.close(resolve)));
    const result = await here.cli("--home", here.path("other"), "up", "--port", String(port + 2));
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toMatch(/port 4126 .* in use/);
    expect(result.stderr).toContain("4127");
  });

  test("refuses an address that this host does not have", async () => {
    const result = await here.cli("--home", here.path("other"), "up", "--port", "4127", "--bind", "192.0.2.1");
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain("192.0.2.1");
  });

  test("starts a worker again that died", async () => {
    await here.restart("worker");
    expect(await here.json<unknown[]>("snapshot", "list")).toEqual([]);
    const names = (await here.json<{ name: string; state: string }[]>("volume", "list")).map((v) => [v.name, v.state]);
    expect(names).toContainEqual(["alpha", "attached"]);
  });
});

test("an upgrade replaces the engines of attached volumes while they are in use", async () => {
  const holder = new BackgroundProgram(cleanup, "tail", ["-f", join(here.mount("alpha"), "letter ä.txt")]);
  const upgraded = await here.json<{ name: string; version: string }[]>("volume", "upgrade", "--all");
  expect(upgraded.map((volume) => volume.name).sort()).toEqual(["alpha", "beta"]);
  expect(upgraded.every((volume) => /^\d+\.\d+\.\d+/.test(volume.version))).toBe(true);
  const one = await here.cli("volume", "upgrade", "alpha");
  expect(one).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/alpha/) });
  expect(holder.running).toBe(true);
  await holder.stop();
});

describe("a job from the command line", () => {
  test("backs up to restic, is shown, logged, listed, and a file of it restored", async () => {
    const password = here.file("password", "correct horse\n");
    const repository = here.path("repository");
    await here.must(
      ...["job", "create", "--name", "nightly", "--volume", "alpha", "--volume", "beta", ...quick],
      ...["--restic", repository, "--password-file", password],
    );
    const run = await here.json<RunDocument>("job", "run", "nightly", "--wait");
    expect(Object.keys(run)).toEqual(["id", "job", "mode", "state", "code", "startedAt", "endedAt", "volumes"]);
    expect(run).toMatchObject({ job: "nightly", mode: "allAtOnce", state: "succeeded", code: null });
    expect(run.volumes.map((v) => [v.name, v.provider, v.state])).toEqual([
      ["alpha", "engine", "succeeded"],
      ["beta", "engine", "succeeded"],
    ]);
    expect(run.volumes[0]?.bytesRead).toBeGreaterThan(0);
    expect(await here.json("run", "show", run.id)).toEqual(run);
    expect(await here.json("run", "show", "1")).toEqual(run);

    const log = await here.cli("run", "log", run.id);
    expect(log.stdout).toMatch(/frozen for/);
    expect(log.stdout).toMatch(/succeeded$/m);

    const entries = await here.json<{ path: string }[]>("restore", run.id, "--list", here.mount("alpha"));
    const letter = join(here.mount("alpha"), "letter ä.txt");
    expect(entries.map((entry) => entry.path)).toContain(letter);
    await here.must("restore", "1", letter, "--to", here.path("restored"));
    expect(readFileSync(here.path("restored") + letter, "utf8")).toBe("dear reader");
    const again = await here.cli("restore", "1", letter, "--to", here.path("restored"));
    expect(again.exitCode).not.toBe(0);
    expect(again.stderr).toMatch(/empty|exists/i);
  });

  test("a command that fails is a failed run, exit code 1 and SF-103", async () => {
    await here.must("job", "create", "--name", "broken", "--volume", "alpha", "--command", "echo no; exit 3", ...quick);
    const result = await here.cli("job", "run", "broken", "--wait", "--json");
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain("SF-103");
    expect(JSON.parse(result.stdout)).toMatchObject({ state: "failed", code: "SF-103" });
  });

  test("one on a volume that is not attached is refused a snapshot, or reads it live with a warning", async () => {
    const unattached = (await here.json<{ name: string; state: string; mount: string }[]>("volume", "list")).find(
      (volume) => volume.state === "available",
    );
    if (!unattached) return;
    const create = ["job", "create", "--volume", unattached.name, "--command", "true", ...quick];
    await here.must(...create, "--name", "strict");
    const strict = await here.cli("job", "run", "strict", "--wait");
    expect(strict.exitCode).toBe(1);
    expect(strict.stderr).toContain("SF-105");
    await here.must(...create, "--name", "lenient", "--without-snapshot", "read-live");
    const lenient = await here.cli("job", "run", "lenient", "--wait", "--json");
    expect(lenient.exitCode).toBe(3);
    expect(JSON.parse(lenient.stdout)).toMatchObject({ state: "warnings" });
  });

  test("Ctrl-C while waiting cancels the run and ends with 130", async () => {
    await here.must("job", "create", "--name", "long", "--volume", "alpha", "--command", "sleep 300", ...quick);
    const waiting = here.background(cleanup, "job", "run", "long", "--wait");
    while (!waiting.output.includes("backing up")) await new Promise((resolve) => setTimeout(resolve, 50));
    process.kill(waiting.pid, "SIGINT");
    expect((await waiting.ended).exitCode).toBe(130);
    const [latest] = await here.json<RunDocument[]>("run", "list", "--limit", "1");
    expect(latest).toMatchObject({ job: "long", state: "cancelled" });
    expect(await here.json("snapshot", "list")).toEqual([]);
  });

  test("can be given as a document, and is refused with the field that is wrong", async () => {
    const job = {
      name: "from a file",
      selection: { volumes: ["alpha"] },
      openFile: { oneAtATime: "on" },
      destination: { kind: "command", command: "true" },
    };
    const made = await here.json<{ openFile: { oneAtATime: string } }>(
      ...["job", "create", "--file", here.file("job.json", JSON.stringify(job))],
    );
    expect(made.openFile.oneAtATime).toBe("on");
    const wrong = here.file("wrong.json", JSON.stringify({ ...job, name: "x", selection: { volumes: [] } }));
    const refused = await here.cli("job", "create", "--file", wrong);
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain("selection.volumes");
    const taken = await here.cli("job", "create", "--file", here.path("job.json"));
    expect(taken.exitCode).toBeGreaterThan(0);
    expect(taken.stderr).toContain("from a file");
    await here.must("job", "remove", "from a file");
    expect((await here.cli("job", "run", "from a file")).exitCode).toBe(1);
  });

  test("is paused, continued and replaced by what was shown of it, its stored password kept", async () => {
    await here.must(
      ...["job", "create", "--name", "kept", "--volume", "alpha", "--restic", here.path("kept-repo")],
      ...["--password-file", here.file("kept-password", "secret of kept"), ...quick],
    );
    expect(await here.json("job", "pause", "kept")).toMatchObject({ paused: true });
    const refused = await here.cli("job", "run", "kept");
    expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("paused") });
    expect(await here.json("job", "continue", "kept")).toMatchObject({ paused: false });

    const shown = await here.json<Record<string, object>>("job", "show", "kept");
    const changed = { ...shown, openFile: { ...shown.openFile, oneAtATime: "on" } };
    const file = here.file("kept.json", JSON.stringify(changed));
    const effective = {
      effectiveMode: "oneAtATime",
      effectiveOpenFile: { ...shown.effectiveOpenFile, oneAtATime: "on" },
    };
    expect(await here.json("job", "update", "kept", "--file", file)).toEqual({ ...changed, ...effective });
    await here.must("job", "run", "kept", "--wait");

    const wrong = here.file("wrong.json", JSON.stringify({ ...changed, selection: { volumes: [] } }));
    expect(await here.cli("job", "update", "kept", "--file", wrong)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("selection.volumes"),
    });
    expect(await here.json("job", "show", "kept")).toEqual({ ...changed, ...effective });
    expect((await here.cli("job", "update", "no such job", "--file", file)).exitCode).toBe(1);
    await here.must("job", "remove", "kept");
  });
});

describe("users", () => {
  test("people are invited, given a role and removed on the command line", async () => {
    const invited = await here.json<{ link: string }>("user", "invite", "grace@example.org", "--role", "operator");
    expect(invited.link).toMatch(/\/welcome\?token=[\w-]+$/);
    expect(await here.json("user", "list")).toEqual([]);
    const token = new URL(invited.link).searchParams.get("token");
    const person = { token, name: "Grace", email: "grace@example.org", password: "nanoseconds of wire" };
    const response = await fetch(`${new URL(invited.link).origin}/api/trpc/account.create`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ json: person }),
    });
    expect(response.status).toBe(200);
    expect(await here.json("user", "list")).toMatchObject([{ email: "grace@example.org", role: "operator" }]);
    await here.must("user", "role", "grace@example.org", "administrator");
    const last = await here.cli("user", "remove", "grace@example.org");
    expect(last).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("only administrator") });
    expect((await here.json<{ link: string }>("user", "password", "grace@example.org")).link).toContain("token=");
    expect((await here.cli("user", "password", "nobody@example.org")).stderr).toContain("no user");
    const none = await here.cli("user", "remove-second-factor", "grace@example.org");
    expect([none.exitCode, none.stderr]).toEqual([1, expect.stringContaining("has no second factor")]);
    const database = new Sqlite(`${here.home}/console/console.db`);
    database.prepare("UPDATE User SET twoFactorEnabled = 1").run();
    database.close();
    expect(await here.json("user", "list")).toMatchObject([{ secondFactor: true }]);
    await here.must("user", "remove-second-factor", "grace@example.org");
    expect(await here.json("user", "list")).toMatchObject([{ secondFactor: false }]);
    expect((await here.cli("user", "invite", "no address")).exitCode).toBe(2);
    expect((await here.cli("user", "role", "grace@example.org", "king")).exitCode).toBe(2);
  });
});

describe("settings", () => {
  const key = String.raw`HKEY_LOCAL_MACHINE\SOFTWARE\VERITAS\Backup Exec\Engine\Backup`;
  const reg = (value: string) => `Windows Registry Editor Version 5.00\r\n\r\n[${key}]\r\n${value}\r\n`;
  const utf16 = (text: string) => Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, "utf16le")]);

  test("one at a time for all jobs is set, and read from a registry export in UTF-16", async () => {
    expect(await here.json("settings", "set", "--one-at-a-time", "on")).toMatchObject({ oneAtATime: true });
    const off = here.file("off.reg", utf16(reg('"DoSingleVolumeSnap"=dword:00000000')));
    expect(await here.json("settings", "import-reg", off)).toMatchObject({ oneAtATime: false });
    const on = here.file("on.reg", utf16(reg('"DoSingleVolumeSnap"=dword:00000001')));
    expect(await here.json("settings", "import-reg", on)).toMatchObject({ oneAtATime: true });
    expect(await here.json("settings", "get")).toMatchObject({ oneAtATime: true });
    await here.must("settings", "set", "--one-at-a-time", "off");
  });

  test("what jobs inherit is set, and a job shows what applies to it", async () => {
    const defaults = ["--min-quiet", "300", "--cache-max", "64M", "--ignore-path", "/var/log"];
    expect(await here.json("settings", "set", ...defaults)).toMatchObject({
      openFile: {
        quiet: { minimumMs: 300, timeoutMs: 60_000, ignorePaths: ["/var/log"] },
        cache: { maxBytes: 2 ** 26 },
      },
    });
    const job = ["--name", "inherits", "--volume", "alpha", "--command", "true", "--quiet-timeout", "5s"];
    await here.must("job", "create", ...job);
    const { stdout } = await here.cli("job", "show", "inherits");
    expect(stdout).toMatch(/^quiet time +300 ms \(inherited\)$/m);
    expect(stdout).toMatch(/^waits at most +5 s$/m);
    expect(stdout).toMatch(/^maximum size +64.0 MiB \(inherited\)$/m);
    await here.must("job", "remove", "inherits");
    const builtIn = ["--min-quiet", "250", "--cache-max", "automatic", "--ignore-nothing"];
    expect(await here.json("settings", "set", ...builtIn)).toMatchObject({
      openFile: { quiet: { minimumMs: 250, ignorePaths: [] }, cache: { maxBytes: null } },
    });
  });

  test("who ignores the root of a volume is told that no write to it counts, and of a directory below it is not", async () => {
    const whole = `${here.mount("alpha")} is the whole of alpha: no write to it counts for the quiet window.\n`;
    const ignore = ["--ignore-path", `${here.mount("alpha")}/`];
    expect((await here.cli("settings", "set", ...ignore)).stderr).toBe(whole);
    expect((await here.cli("settings", "set", "--ignore-path", join(here.mount("alpha"), "log"))).stderr).toBe("");
    expect((await here.cli("settings", "set", "--ignore-nothing")).stderr).toBe("");
    const job = ["--name", "ignores", "--volume", "alpha", "--command", "true"];
    expect((await here.cli("job", "create", ...job, ...ignore)).stderr).toBe(whole);
    await here.must("job", "remove", "ignores");
    const exec = ["--volume", "alpha", "--min-quiet", "10", ...ignore, "--", "true"];
    expect((await here.cli("exec", ...exec)).stderr).toContain(whole);
  });

  test.each([
    ["another value", reg('"SomethingElse"=dword:00000001')],
    ["no registry export", "hello"],
    ["nothing", ""],
    ["bytes of any kind", Buffer.from([0, 1, 2, 3, 255, 254])],
  ])("an export with %s is refused and changes nothing", async (_what, content) => {
    const before = await here.json("settings", "get");
    const result = await here.cli("settings", "import-reg", here.file("odd.reg", content));
    expect(result.exitCode).toBeGreaterThan(0);
    expect(result.stderr).not.toBe("");
    expect(await here.json("settings", "get")).toEqual(before);
  });
});

test("Ctrl-C tells which volume is in use and stays; the next start takes it up again", async () => {
  const holder = new BackgroundProgram(cleanup, "tail", ["-f", join(here.mount("alpha"), "letter ä.txt")]);
  // Holds all mounts that it found at its start, and no file on them, as a container may.
  const container = new BackgroundProgram(cleanup, "unshare", [
    ...["--mount", "--propagation", "private", "sleep", "600"],
  ]);
  await expect
    .poll(() => readFileSync(`/proc/${container.pid}/cmdline`, "utf8"), { timeout: 30_000 })
    .toMatch(/^sleep/);
  const up = here.running;
  expect(await here.stopPrograms("SIGINT")).toBe(3);
  expect(up?.output).toContain(`${here.mount("alpha")} is in use`);
  expect(up?.output).toMatch(
    new RegExp(`${here.mount("beta")} is in use .*another mount namespace: .*sleep 600 \\(${container.pid}\\)`),
  );
  expect(here.leftovers().filter((left) => left.startsWith("mount /dev/"))).toHaveLength(2);
  await here.startPrograms();
  const volumes = await here.json<{ name: string; state: string }[]>("volume", "list");
  expect(
    volumes
      .filter((volume) => volume.state === "attached")
      .map((volume) => volume.name)
      .sort(),
  ).toEqual(["alpha", "beta"]);
  await holder.stop();
  await container.stop();
});

test("Ctrl-C stops both, and nothing stays mounted; the next start finds everything again", async () => {
  expect(await here.stopPrograms("SIGINT")).toBe(0);
  expect(here.leftovers()).toEqual([]);
  await here.startPrograms();
  const names = (await here.json<{ name: string }[]>("volume", "list")).map((volume) => volume.name);
  expect(names).toEqual(expect.arrayContaining(["alpha", "beta"]));
  expect((await here.json<RunDocument[]>("run", "list")).length).toBeGreaterThan(0);
  expect(readFileSync(join(here.mount("alpha"), "letter ä.txt"), "utf8")).toBe("dear reader");
});
