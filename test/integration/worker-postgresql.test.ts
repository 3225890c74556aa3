/**
 * A PostgreSQL server under load, its data and its write-ahead log on two volumes: backed up at one instant, restored, and
 * started on what was restored. It recovers as after a power cut, and nothing that it had acknowledged is missing.
 */
import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mustRun } from "@/server/worker/programs/run-program";
import { Cleanup, cleanupAfterEach } from "../fixtures/cleanup";
import { AcknowledgedEntries } from "../fixtures/databases/acknowledged-entries";
import {
  asPostgres,
  directoryForPostgres,
  PostgresqlServer,
  postgresqlProgram,
} from "../fixtures/databases/postgresql-server";
import { needing, postgresqlDirectory } from "../fixtures/databases/server-programs";
import { hooksInReadme } from "../fixtures/readme";
import { type RunWish, WorkerUnderTest } from "../fixtures/worker-under-test";

const MIB = 1024 * 1024;
const missing = postgresqlDirectory() === null;
const both = ["pgdata", "pgwal"];

describe.skipIf(missing)(needing("a PostgreSQL server under load", missing, "the package postgresql"), () => {
  const whole = new Cleanup();
  const cleanup = cleanupAfterEach();
  let worker: WorkerUnderTest;
  let server: PostgresqlServer;

  beforeAll(async () => {
    worker = await WorkerUnderTest.start(whole);
    await worker.host.host("practice.create", { name: "pgdata", sizeBytes: 320 * MIB, fs: "xfs" });
    await worker.host.host("practice.create", { name: "pgwal", sizeBytes: 128 * MIB });
    const data = await directoryFor(join(worker.mount("pgdata"), "main"));
    await PostgresqlServer.init(data, await directoryFor(join(worker.mount("pgwal"), "wal")));
    server = await PostgresqlServer.start(whole, data, await directoryFor(worker.path("socket")));
    await mustRun(postgresqlProgram("createdb"), ["--host", server.socket, "--username", "postgres", "bank"]);
    const session = server.session("bank");
    await session.ask("CREATE TABLE entry (number integer PRIMARY KEY)");
    await session.end();
    await mustRun(postgresqlProgram("pgbench"), [
      ...["--initialize", "--quiet", "--host", server.socket, "--username", "postgres", "bank"],
    ]);
  });
  afterAll(() => whole.run());

  const directoryFor = (path: string) => directoryForPostgres(path, worker.directory);

  interface Taken {
    runId: string;
    /** How many entries were acknowledged before the instant. */
    acknowledged: number;
  }

  /** A backup in the middle of the load. */
  async function backUpUnderLoad(wish: Pick<RunWish, "hooks" | "command"> = {}): Promise<Taken> {
    const load = server.load("bank");
    const session = server.session("bank");
    await session.ask("TRUNCATE entry");
    const entries = new AcknowledgedEntries(session, "entry");
    await entries.more(100);
    const runId = await worker.startRun({ volumes: both, excludes: ["postmaster.pid"], ...wish });
    const ended = await worker.console.ended(runId);
    expect(ended.outcome, worker.console.story(runId)).toBe("succeeded");
    await entries.more(10);
    await entries.stop();
    expect(load.running, load.output).toBe(true);
    await load.stop();
    const instants = worker.console
      .eventsOf(runId)
      .flatMap((e) => (e.type === "frozen" ? e.volumes.map((v) => v.takenAt) : []));
    expect(instants).toHaveLength(2);
    const acknowledged = Math.min(...instants.map((instant) => entries.before(instant)));
    expect(acknowledged).toBeGreaterThanOrEqual(100);
    return { runId, acknowledged };
  }

  /** A directory that is removed after the test. */
  function directoryToFill(name: string): string {
    const path = worker.path(name);
    cleanup.add(`remove ${name}`, () => rmSync(path, { recursive: true, force: true }));
    return path;
  }

  /** Starts a server on the volumes' contents below `top`, and stops it when all of it was looked at. */
  async function expectWhole(top: string, acknowledged: number): Promise<void> {
    const data = await directoryFor(join(top, worker.mount("pgdata"), "main"));
    const log = await directoryFor(join(top, worker.mount("pgwal"), "wal"));
    rmSync(join(data, "pg_wal"));
    symlinkSync(log, join(data, "pg_wal"));
    const restored = await PostgresqlServer.start(cleanup, data, await directoryFor(worker.path("restored-socket")));
    expect(restored.log).toMatch(/automatic recovery in progress/);
    const session = restored.session("bank");
    const sums = await session.ask(
      `SELECT (SELECT sum(delta) FROM pgbench_history), (SELECT sum(abalance) FROM pgbench_accounts),
        (SELECT sum(tbalance) FROM pgbench_tellers), (SELECT sum(bbalance) FROM pgbench_branches)`,
    );
    const [history, ...balances] = (sums[0] ?? "").split("|");
    expect(history).toMatch(/^-?\d+$/);
    expect(balances).toEqual([history, history, history]);
    const [counted = ""] = await session.ask("SELECT count(*), max(number) FROM entry");
    const [count, last] = counted.split("|").map(Number);
    expect(count).toBe(last);
    expect(count).toBeGreaterThanOrEqual(acknowledged);
    await session.end();
    const everything = ["--install-missing", "--heapallindexed", "--database=bank"];
    await asPostgres("pg_amcheck", "--host", restored.socket, ...everything);
    await restored.stop();
    expect(await asPostgres("pg_checksums", "--check", "-D", data)).toMatch(/Bad checksums: +0/);
  }

  test("is whole after its restore: it recovers, and every acknowledged transaction is there", async () => {
    const { runId, acknowledged } = await backUpUnderLoad();
    const target = directoryToFill("restored");
    const paths = both.map((name) => worker.mount(name));
    const { repository, password } = worker;
    await worker.host.host("restore.start", { repository, password, runId, paths, target });
    await expectWhole(target, acknowledged);
  });

  test("is as whole after the checkpoint of the README's hook, which it takes before the snapshot", async () => {
    const [command = ""] = hooksInReadme("--pre-freeze", "--command CHECKPOINT", { "/run/postgresql": server.socket });
    const requested = () => server.log.match(/checkpoint starting: immediate/g)?.length ?? 0;
    const before = requested();
    const target = directoryToFill("copied");
    mkdirSync(target);
    const copy = `cp --archive --parents '${worker.mount("pgdata")}' '${worker.mount("pgwal")}' '${target}'`;
    const { acknowledged } = await backUpUnderLoad({ hooks: [{ at: "preFreeze", command }], command: copy });
    expect(requested()).toBeGreaterThan(before);
    rmSync(join(target, worker.mount("pgdata"), "main", "postmaster.pid"));
    await expectWhole(target, acknowledged);
  });
});
