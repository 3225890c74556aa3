/**
 * A MariaDB server under load on one volume: backed up at one instant, restored, and started on what was restored. It
 * recovers as after a power cut, and nothing that it had acknowledged is missing. A hook that holds it still also keeps
 * tables whole that know no recovery.
 */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Cleanup, cleanupAfterEach } from "../fixtures/cleanup";
import { AcknowledgedEntries } from "../fixtures/databases/acknowledged-entries";
import { openBank, tables, transfers } from "../fixtures/databases/bank";
import { MariadbServer } from "../fixtures/databases/mariadb-server";
import { hasMariadb, needing } from "../fixtures/databases/server-programs";
import type { SqlSession } from "../fixtures/databases/sql-session";
import { hooksInReadme } from "../fixtures/readme";
import { type RunWish, WorkerUnderTest } from "../fixtures/worker-under-test";

const MIB = 1024 * 1024;
const missing = !hasMariadb();

describe.skipIf(missing)(needing("a MariaDB server under load", missing, "the package mariadb-server-core"), () => {
  const whole = new Cleanup();
  const cleanup = cleanupAfterEach();
  let worker: WorkerUnderTest;
  let server: MariadbServer;

  beforeAll(async () => {
    worker = await WorkerUnderTest.start(whole);
    await worker.host.host("practice.create", { name: "mysql", sizeBytes: 320 * MIB });
    const data = join(worker.mount("mysql"), "data");
    mkdirSync(data);
    await MariadbServer.init(data);
    server = await MariadbServer.start(whole, data, worker.path("mysqld.sock"));
    await openBank(server);
  });
  afterAll(() => whole.run());

  interface Taken {
    runId: string;
    /** How many entries were acknowledged before the instant. */
    acknowledged: number;
  }

  /** A backup in the middle of the load. */
  async function backUpUnderLoad(wish: Pick<RunWish, "hooks" | "command"> = {}): Promise<Taken> {
    const load = transfers(server);
    const session = server.session();
    await session.ask("DELETE FROM bank.entry");
    const entries = new AcknowledgedEntries(session, "bank.entry");
    await entries.more(100);
    const runId = await worker.startRun({ volumes: ["mysql"], ...wish });
    const ended = await worker.console.ended(runId);
    expect(ended.outcome, worker.console.story(runId)).toBe("succeeded");
    await entries.more(10);
    await entries.stop();
    for (const client of load) {
      expect(client.running, client.output).toBe(true);
      await client.stop();
    }
    const frozen = worker.console.eventsOf(runId).find((e) => e.type === "frozen");
    const instant = frozen?.type === "frozen" ? frozen.volumes[0]?.takenAt : undefined;
    const acknowledged = entries.before(instant ?? "");
    expect(acknowledged).toBeGreaterThanOrEqual(100);
    return { runId, acknowledged };
  }

  /** A directory that is removed after the test. */
  function directoryToFill(name: string): string {
    const path = worker.path(name);
    cleanup.add(`remove ${name}`, () => rmSync(path, { recursive: true, force: true }));
    return path;
  }

  /** A server on the volume's contents below `top`. */
  const startOn = (top: string): Promise<MariadbServer> =>
    MariadbServer.start(cleanup, join(top, worker.mount("mysql"), "data"), worker.path("restored.sock"));

  async function expectWhole(session: SqlSession, acknowledged: number): Promise<void> {
    const [sums = ""] = await session.ask(
      "SELECT (SELECT SUM(balance) FROM bank.account), (SELECT SUM(delta) FROM bank.history), (SELECT COUNT(*) FROM bank.history)",
    );
    const [balances, history, transferred] = sums.split("\t");
    expect(balances).toBe(history);
    expect(Number(transferred)).toBeGreaterThan(0);
    const [counted = ""] = await session.ask("SELECT COUNT(*), MAX(number) FROM bank.entry");
    const [count, last] = counted.split("\t").map(Number);
    expect(count).toBe(last);
    expect(count).toBeGreaterThanOrEqual(acknowledged);
  }

  const checked = (session: SqlSession, names: string[]): Promise<string[]> =>
    session.ask(`CHECK TABLE ${names.map((name) => `bank.${name}`).join(", ")} EXTENDED`);

  test("is whole after its restore: InnoDB recovers, and every acknowledged transaction is there", async () => {
    const { runId, acknowledged } = await backUpUnderLoad();
    const target = directoryToFill("restored");
    const { repository, password } = worker;
    const paths = [worker.mount("mysql")];
    await worker.host.host("restore.start", { repository, password, runId, paths, target });
    const restored = await startOn(target);
    expect(restored.log).toMatch(/Starting crash recovery/);
    const session = restored.session();
    await expectWhole(session, acknowledged);
    const transactional = tables.filter((name) => name !== "journal");
    expect(await checked(session, transactional)).toEqual(
      transactional.map((name) => `bank.${name}\tcheck\tstatus\tOK`),
    );
  });

  test("held still by the README's hook, has nothing to mend either in tables without transactions", async () => {
    const [command = ""] = hooksInReadme("--freeze-hold", "FLUSH TABLES", { "/run/mysqld/mysqld.sock": server.socket });
    const target = directoryToFill("copied");
    mkdirSync(target);
    const { runId, acknowledged } = await backUpUnderLoad({
      hooks: [{ at: "freezeHold", command }],
      command: `cp --archive --parents '${worker.mount("mysql")}' '${target}'`,
    });
    const told = worker.console.eventsOf(runId).flatMap((e) => (e.type === "log" ? [e.text] : []));
    expect(told).toContainEqual(expect.stringMatching(/^the freeze-hold hook holds, ready after/));
    expect(told).toContainEqual(expect.stringMatching(/^the freeze-hold hook let go, held for/));
    const session = (await startOn(target)).session();
    expect(await checked(session, tables)).toEqual(tables.map((name) => `bank.${name}\tcheck\tstatus\tOK`));
    await expectWhole(session, acknowledged);
  });

  test("whose server ended the session of that hook meanwhile fails the run: nothing held it until the instant", async () => {
    const [command = ""] = hooksInReadme("--freeze-hold", "FLUSH TABLES", { "/run/mysqld/mysqld.sock": server.socket });
    const client = `mariadb --socket ${server.socket} -N`;
    const idle = "SELECT CONCAT('KILL ', id, ';') FROM information_schema.processlist WHERE command = 'Sleep'";
    const killing = `kills=$(${client} -e "${idle}"); ${client} -e "$kills" && echo READY; cat`;
    const hooks = [command, killing].map((one) => ({ at: "freezeHold" as const, command: one }));
    const runId = await worker.startRun({ volumes: ["mysql"], hooks, command: "true" });
    expect(await worker.console.ended(runId)).toMatchObject({ outcome: "failed", code: "SF-104" });
    const failure = worker.console.eventsOf(runId).find((e) => e.type === "failure");
    expect(failure).toMatchObject({ evidence: { hook: "freeze-hold hook 1", cause: "late", exitCode: 1 } });
  });
});
