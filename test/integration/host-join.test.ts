/** A machine becomes a host by the command of the page Hosts, as pasted: fetched program, real worker, real backup. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { joinCommand } from "@/app/(console)/hosts/join-command";
import { openFileSchema } from "@/server/core/contracts/job";
import { runProgram } from "@/server/worker/programs/run-program";
import { BackgroundProgram } from "../fixtures/background-program";
import { Cleanup } from "../fixtures/cleanup";
import { ConsoleUnderTest, eventually } from "../fixtures/console-under-test";

const MIB = 1024 * 1024;
const whole = new Cleanup();
const console = new ConsoleUnderTest();
let admin: ReturnType<ConsoleUnderTest["client"]>;

/** Another machine, but for its kernel: places of its own, and nothing but the command. */
class Machine {
  readonly directory = mkdtempSync(join(tmpdir(), "stillframe-machine-"));
  readonly prefix = join(this.directory, "opt");
  readonly home = join(this.directory, "home");
  readonly run = join(this.directory, "run");
  private program: BackgroundProgram | null = null;
  private readonly killing = new Cleanup();

  get output(): string {
    return this.program?.output ?? "";
  }

  private get env(): string[] {
    return [`STILLFRAME_PREFIX=${this.prefix}`, `STILLFRAME_HOME=${this.home}`, `STILLFRAME_RUN=${this.run}`];
  }

  /** Pastes the command; the worker stays in the foreground. */
  paste(command: string): BackgroundProgram {
    this.program = new BackgroundProgram(this.killing, "env", [...this.env, "sh", "-c", `${command} --no-service`]);
    return this.program;
  }

  /** The installed command line. */
  cli(...args: string[]) {
    const environment = Object.fromEntries(this.env.map((pair) => pair.split("=") as [string, string]));
    return runProgram(process.execPath, [join(this.prefix, "current/dist/cli.js"), ...args], { env: environment });
  }

  releases(): string[] {
    const directory = join(this.prefix, "releases");
    return existsSync(directory) ? readdirSync(directory) : [];
  }

  /** Ctrl-C. */
  async interrupt(): Promise<void> {
    const { program } = this;
    if (!program?.running) return;
    process.kill(-program.pid, "SIGINT");
    await program.ended;
  }

  async remove(): Promise<void> {
    await this.interrupt();
    await this.killing.run();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

const invited = async () => {
  const { token } = await admin.hosts.invite.mutate({});
  return { token, command: joinCommand(console.origin, token) };
};
const ask = (token: string, machine: string) =>
  fetch(`${console.origin}/api/join/program?machine=${machine}`, { headers: { authorization: `Bearer ${token}` } });
const joined = () =>
  eventually(async () => (await admin.hosts.list.query()).find((host) => host.connected && !host.local), 60_000);

beforeAll(async () => {
  whole.add("remove the console", () => console.remove());
  await console.startProcess({}, { pages: true });
  admin = console.client(await console.signUp());
});
afterAll(() => whole.run());

test("a token that is missing, wrong, used or over opens nothing, and one for another kind of machine says so", async () => {
  const { token } = await invited();
  expect((await fetch(`${console.origin}/api/join/program?machine=x86_64`)).status).toBe(401);
  expect((await ask(`${token}x`, "x86_64")).status).toBe(401);
  const other = await ask(token, "mips");
  expect([other.status, await other.text()]).toEqual([409, expect.stringMatching(/programs are for .+ is mips/)]);
  const bearer = { authorization: `Bearer ${token}` };
  const malformed = await console.post("/api/join", { hostname: "db", keyHash: "short" }, bearer);
  expect([malformed.status, await malformed.text()]).toEqual([400, expect.stringContaining("keyHash")]);
  const key = { hostname: "db", keyHash: "0".repeat(64) };
  const answers = await Promise.all([1, 2, 3].map(() => console.post("/api/join", key, bearer)));
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401]);
  expect(await (await ask(token, "x86_64")).text()).toContain("used already");

  const late = await invited();
  const db = new Sqlite(console.databaseFile);
  db.prepare('UPDATE "HostInvitation" SET "expiresAt" = ? WHERE "usedAt" IS NULL').run(Date.now() - 1);
  db.close();
  expect(await (await ask(late.token, "x86_64")).text()).toContain("good for an hour");

  const host = (await admin.hosts.list.query()).find(({ name }) => name === "db");
  expect(host).toMatchObject({ connected: false, local: false, lastSeenAt: null });
  await admin.hosts.remove.mutate({ hostId: host?.id ?? "" });
});

describe("a machine", () => {
  const machine = new Machine();
  beforeAll(async () => {
    whole.add("remove the machine", () => machine.remove());
    const { command } = await invited();
    machine.paste(command);
    await joined().catch((error) => {
      throw new Error(`${error}: ${machine.output}`);
    });
  });

  test("is a host by one command, and its volumes are backed up by the console's job", async () => {
    const { id: hostId, name } = await joined();
    await expect.poll(() => machine.output).toContain(`as “${name}”`);
    expect(statSync(join(machine.home, "worker", "worker.key")).mode & 0o777).toBe(0o600);
    await admin.volumes.createPractice.mutate({
      hostId,
      name: "alpha",
      sizeBytes: 64 * MIB,
      fs: "ext4",
      writer: false,
    });
    const job = await admin.jobs.create.mutate({
      name: "nightly",
      hostId,
      selection: { volumes: ["alpha"], paths: [], excludes: [] },
      openFile: openFileSchema.parse({}),
      destination: { kind: "restic", repository: join(machine.directory, "repository") },
      password: "a secret of the test",
      schedule: null,
      hooks: [],
    });
    const { runId } = await admin.jobs.run.mutate({ id: job.id });
    const run = await eventually(async () => {
      const { run } = await admin.runs.get.query({ id: runId });
      return run.endedAt !== null && run;
    }, 60_000);
    expect(run).toMatchObject({ state: "succeeded", hostId });
  });

  test("has its own jobs and runs at its command line, and nothing of other hosts or of the console", async () => {
    const local = (await admin.hosts.list.query()).find((host) => host.local);
    await admin.jobs.create.mutate({
      name: "elsewhere",
      hostId: local?.id ?? "",
      selection: { volumes: ["other"], paths: [], excludes: [] },
      openFile: openFileSchema.parse({}),
      destination: { kind: "command", command: "true" },
      schedule: null,
      hooks: [],
    });
    const list = await machine.cli("job", "list");
    expect(list.stdout).toContain("nightly");
    expect(list.stdout).not.toContain("elsewhere");
    const own = join(machine.home, "own.json");
    writeFileSync(own, (await machine.cli("job", "show", "nightly", "--json")).stdout);
    for (const args of [
      ["user", "list"],
      ["user", "invite", "eve@example.net", "--role", "administrator"],
      ["settings", "set", "--one-at-a-time", "on"],
      ["job", "run", "elsewhere"],
      ["job", "pause", "elsewhere"],
      ["job", "update", "elsewhere", "--file", own],
      ["job", "remove", "elsewhere"],
    ]) {
      expect(await machine.cli(...args), args.join(" ")).toMatchObject({ exitCode: 1 });
    }
    expect((await admin.jobs.list.query()).map(({ name }) => name).sort()).toEqual(["elsewhere", "nightly"]);
  });

  test("stays the host it is when it joins again, which a used token does not", async () => {
    const { id } = await joined();
    const before = machine.releases();
    const key = readFileSync(join(machine.home, "worker", "worker.key"), "utf8");
    await machine.interrupt();
    const used = await invited();
    await console.post(
      "/api/join",
      { hostname: "x", keyHash: "1".repeat(64) },
      { authorization: `Bearer ${used.token}` },
    );
    const refused = await machine.paste(used.command).ended;
    expect(refused).toMatchObject({ exitCode: 1, output: expect.stringContaining("used already") });
    expect(machine.releases()).toEqual(before);

    const { command } = await invited();
    machine.paste(command);
    expect(await joined()).toMatchObject({ id });
    expect(readFileSync(join(machine.home, "worker", "worker.key"), "utf8")).toBe(key);
    await expect.poll(() => machine.releases(), { timeout: 30_000 }).toHaveLength(1);
    expect(machine.releases()).not.toEqual(before);
    await eventually(async () => {
      const volumes = await admin.volumes.list.query();
      return volumes.some((volume) => volume.hostId === id && volume.name === "alpha" && volume.connected);
    }, 30_000);
  });

  test("is removed once it has no job; its worker is let in no more, its runs stay", async () => {
    const { id } = await joined();
    await expect(admin.hosts.remove.mutate({ hostId: id })).rejects.toThrow("has the job “nightly”");
    const local = (await admin.hosts.list.query()).find((host) => host.local);
    await expect(admin.hosts.remove.mutate({ hostId: local?.id ?? "" })).rejects.toThrow("the console's own machine");
    const nightly = (await admin.jobs.list.query()).find(({ name }) => name === "nightly");
    await admin.jobs.remove.mutate({ id: nightly?.id ?? "" });
    await admin.hosts.remove.mutate({ hostId: id });
    expect((await admin.hosts.list.query()).map((host) => host.id)).not.toContain(id);
    await expect(admin.hosts.remove.mutate({ hostId: id })).rejects.toThrow("removed already");
    const key = readFileSync(join(machine.home, "worker", "worker.key"), "utf8").trim();
    const upgrade = await fetch(`${console.origin}/api/worker`, { headers: { authorization: `Bearer ${key}` } });
    expect(upgrade.ok).toBe(false);
    const [run] = await admin.runs.list.query({});
    const { host } = await admin.runs.get.query({ id: run?.id ?? "" });
    expect(host).toMatchObject({ id, connected: false, removedAt: expect.any(String) });
    await expect(machine.cli("job", "list")).resolves.toMatchObject({ exitCode: 1 });
  });
});
