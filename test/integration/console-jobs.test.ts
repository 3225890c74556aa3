/** Jobs, settings and secrets, over the real API and database. The worker is a scripted peer. */
import { readFileSync } from "node:fs";
import Sqlite from "better-sqlite3";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Vault } from "@/server/console/services/secrets/vault";
import { eventually } from "../fixtures/console-under-test";
import { goingWell, jobInput, started, volume } from "../fixtures/link-documents";
import { type LinkedConsole, linkedConsole } from "../fixtures/linked-console";

const PASSWORD = "s3cret of the repository";

let linked: LinkedConsole;
let { it, worker, client, hostId } = {} as LinkedConsole;

beforeEach(async () => {
  linked = await linkedConsole(volume("data", "/srv/data"), volume("Größe 1", "/srv/größe 1"));
  ({ it, worker, client, hostId } = linked);
});
afterEach(() => linked?.remove());

const refusal = (kind: string, field: string) => ({ data: { fault: { kind, field } } });

test("a password is sealed at rest, sent to the worker, and never shown again", async () => {
  const job = await client.jobs.create.mutate(jobInput(hostId, "Nightly", ["data"], { password: PASSWORD }));
  expect(job.hasPassword).toBe(true);
  const { runId } = await client.jobs.run.mutate({ id: job.id });
  const start = worker.received.find((m) => m.type === "request" && m.method === "run.start");
  expect(start).toMatchObject({ params: { password: PASSWORD } });
  worker.emit(runId, started("data"), ...goingWell("data"));
  await eventually(() => worker.outbox.length === 0);
  const shown = await Promise.all([
    client.jobs.get.query({ id: job.id }),
    client.jobs.list.query(),
    client.runs.get.query({ id: runId }),
    client.overview.get.query(),
    worker.ask("job.list", {}),
    worker.ask("run.show", { run: runId }),
  ]);
  expect(JSON.stringify(shown)).not.toContain(PASSWORD);
  await it.stop();
  for (const file of [it.databaseFile, `${it.databaseFile}-wal`]) {
    expect(read(file).includes(PASSWORD)).toBe(false);
  }
});

const read = (file: string): Buffer => {
  try {
    return readFileSync(file);
  } catch {
    return Buffer.alloc(0);
  }
};

test("a sealed password opens only for its own job and with its own key", () => {
  const vault = new Vault("one key");
  const sealed = vault.seal("пароль", "job 1");
  expect(vault.open(sealed, "job 1")).toBe("пароль");
  expect(() => vault.open(sealed, "job 2")).toThrow();
  expect(() => new Vault("another key").open(sealed, "job 1")).toThrow();
  expect(() => vault.open(`${sealed.slice(0, -2)}AA`, "job 1")).toThrow();
});

test("changing a job without a password keeps the one that is stored", async () => {
  const { id } = await client.jobs.create.mutate(jobInput(hostId, "Nightly", ["data"], { password: PASSWORD }));
  const { password: _, ...renamed } = jobInput(hostId, "Nightly 2", ["data"]);
  await client.jobs.update.mutate({ id, job: renamed });
  await client.jobs.run.mutate({ id });
  const start = worker.received.find((m) => m.type === "request" && m.method === "run.start");
  expect(start).toMatchObject({ params: { password: PASSWORD, jobName: "Nightly 2" } });
});

test("names with spaces and letters of any alphabet are kept as they are", async () => {
  const input = jobInput(hostId, "Ночь – über alles 日本", ["Größe 1"]);
  input.selection.paths = ["/srv/größe 1/мои файлы"];
  const { id } = await client.jobs.create.mutate(input);
  expect(await client.jobs.get.query({ id })).toMatchObject({ name: input.name, selection: input.selection });
});

test("what cannot work is refused with the field that is wrong, and nothing is kept", async () => {
  const create = client.jobs.create.mutate;
  const good = jobInput(hostId, "Nightly", ["data"]);
  const cache = (change: object) => ({
    ...good,
    openFile: { ...good.openFile, cache: { ...good.openFile?.cache, ...change } },
  });
  await expect(create({ ...good, name: "a/b" })).rejects.toMatchObject(refusal("invalid", "name"));
  await expect(create({ ...good, selection: { volumes: ["gone"] } })).rejects.toMatchObject(
    refusal("invalid", "selection.volumes"),
  );
  await expect(create({ ...good, selection: { volumes: ["data", "data"] } })).rejects.toMatchObject(
    refusal("invalid", "selection.volumes"),
  );
  await expect(create({ ...good, selection: { volumes: ["data"], paths: ["/etc/passwd"] } })).rejects.toMatchObject(
    refusal("invalid", "selection.paths"),
  );
  const inside = { kind: "restic", repository: "/srv/data/repository" } as const;
  await expect(create({ ...good, destination: inside })).rejects.toMatchObject(
    refusal("invalid", "destination.repository"),
  );
  await expect(create(cache({ location: "/srv/data/cache" }))).rejects.toMatchObject(
    refusal("invalid", "openFile.cache.location"),
  );
  await expect(create(cache({ maxBytes: 1000 }))).rejects.toMatchObject(refusal("invalid", "openFile.cache.maxBytes"));
  await expect(create(cache({ initialBytes: 4 << 20, maxBytes: 2 << 20 }))).rejects.toMatchObject(
    refusal("invalid", "openFile.cache.initialBytes"),
  );
  const { password: _, ...unprotected } = good;
  await expect(create(unprotected)).rejects.toMatchObject(refusal("invalid", "password"));
  await expect(create({ ...good, hostId: "nowhere" })).rejects.toMatchObject(refusal("notFound", "hostId"));
  expect(await client.jobs.list.query()).toEqual([]);
  await create(good);
  await expect(create(good)).rejects.toMatchObject(refusal("conflict", "name"));
});

test("a removed job keeps its history; one that runs cannot be removed", async () => {
  const { id } = await client.jobs.create.mutate(jobInput(hostId, "Nightly", ["data"]));
  const { runId } = await client.jobs.run.mutate({ id });
  await expect(client.jobs.remove.mutate({ id })).rejects.toMatchObject({ data: { fault: { kind: "conflict" } } });
  worker.emit(runId, started("data"), ...goingWell("data"));
  await eventually(() => worker.outbox.length === 0);
  await client.jobs.remove.mutate({ id });
  expect((await client.runs.list.query({}))[0]).toMatchObject({ id: runId, job: { name: "Nightly" } });
  await expect(client.restore.list.query({ runId, path: "/" })).rejects.toThrow("password was removed");
});

test("a restore asks the run's host with the run's repository and the job's password", async () => {
  const { id } = await client.jobs.create.mutate(jobInput(hostId, "Nightly", ["data"], { password: PASSWORD }));
  const { runId } = await client.jobs.run.mutate({ id });
  const entry = { path: "/srv", type: "dir", sizeBytes: 0, modifiedAt: null };
  worker.answers["restore.list"] = () => [entry];
  expect(await client.restore.list.query({ runId, path: "/" })).toEqual([entry]);
  expect(worker.received.at(-1)).toMatchObject({
    params: { runId, repository: "/backup/repository", password: PASSWORD, path: "/" },
  });
});

test("an export of the original's registry sets one at a time for all jobs; anything else changes nothing", async () => {
  const exported = (value: number, key: string) =>
    Buffer.from(
      `\ufeffWindows Registry Editor Version 5.00\r\n\r\n[${key}]\r\n"DoSingleVolumeSnap"=dword:0000000${value}\r\n`,
      "utf16le",
    ).toString("base64");
  const key = "HKEY_LOCAL_MACHINE\\SOFTWARE\\VERITAS\\Backup Exec\\Engine\\Backup";
  expect(await client.settings.importReg.mutate({ content: exported(1, key) })).toMatchObject({
    settings: { oneAtATime: true },
    key,
    value: 1,
  });
  const other = client.settings.importReg.mutate({ content: exported(0, "HKEY_CURRENT_USER\\Other") });
  await expect(other).rejects.toMatchObject(refusal("invalid", "content"));
  await expect(other).rejects.toThrow("does not hold the value");
  const text = client.settings.importReg.mutate({ content: Buffer.from("hello").toString("base64") });
  await expect(text).rejects.toThrow("not a registry export");
  expect(await client.settings.get.query()).toMatchObject({ oneAtATime: true });
});

test("a run gets the defaults for what its job inherits, as they are when it starts", async () => {
  const openFile = { quiet: { timeoutMs: 1000 } };
  const { id } = await client.jobs.create.mutate({ ...jobInput(hostId, "Nightly", ["data"]), openFile });
  expect(await client.jobs.get.query({ id })).toMatchObject({
    openFile: { quiet: { minimumMs: "inherit", timeoutMs: 1000 } },
    effectiveOpenFile: { quiet: { minimumMs: 250, timeoutMs: 1000 } },
  });
  await client.settings.set.mutate({
    openFile: { quiet: { minimumMs: 700, timeoutMs: 9000 }, cache: { whenFull: "hold" }, noSnapshot: "readLive" },
  });
  expect(await worker.ask("job.list", {})).toMatchObject({
    result: [{ effectiveOpenFile: { quiet: { minimumMs: 700, timeoutMs: 1000 } } }],
  });
  await client.jobs.run.mutate({ id });
  expect(worker.received.find((m) => m.type === "request" && m.method === "run.start")).toMatchObject({
    params: {
      openFile: {
        quiet: { minimumMs: 700, timeoutMs: 1000, atTimeout: "snapshot", ignorePaths: [] },
        cache: { initialBytes: null, maxBytes: null, whenFull: "hold", holdMs: 5000 },
        noSnapshot: "readLive",
      },
    },
  });
});

test("sizes out of order are refused by name, and a changed default does not lock a job", async () => {
  const create = client.jobs.create.mutate;
  const good = jobInput(hostId, "Nightly", ["data"]);
  const sized = (cache: object) => ({ ...good, openFile: { cache } });
  const { id } = await create(sized({ initialBytes: 64 << 20 }));
  const set = client.settings.set.mutate;
  await expect(set({ openFile: { cache: { initialBytes: 4 << 20, maxBytes: 2 << 20 } } })).rejects.toMatchObject(
    refusal("invalid", "openFile.cache.initialBytes"),
  );
  expect((await client.settings.get.query()).openFile.cache).toMatchObject({ initialBytes: null, maxBytes: null });
  await set({ openFile: { cache: { maxBytes: 16 << 20 } } });
  expect((await client.jobs.get.query({ id })).effectiveOpenFile.cache.initialBytes).toBe(16 << 20);
  const renamed = await client.jobs.update.mutate({ id, job: { ...sized({ initialBytes: 64 << 20 }), name: "Other" } });
  expect(renamed.name).toBe("Other");
  await expect(create(sized({ initialBytes: 64 << 20 }))).rejects.toMatchObject(
    refusal("invalid", "openFile.cache.initialBytes"),
  );
});

test("cache locations reach the hosts, also one that was away", async () => {
  const allowed = () =>
    worker.received.flatMap((m) => (m.type === "request" && m.method === "cache.allow" ? [m.params] : [])).at(-1);
  await client.settings.set.mutate({ cacheLocations: ["/var/cache/stillframe"] });
  expect(allowed()).toEqual({ locations: ["/var/cache/stillframe"] });
  worker.drop();
  worker.received.length = 0;
  await worker.connect(it.origin, it.hostKey);
  await eventually(() => allowed());
  expect(allowed()).toEqual({ locations: ["/var/cache/stillframe"] });
});

test("what people say about articles is kept and shown", async () => {
  await client.articles.feedback.mutate({ code: "a000851c", helpful: false, text: "Which disk?" });
  expect(await client.articles.feedbackList.query()).toMatchObject([
    { code: "a000851c", helpful: false, text: "Which disk?", by: "ada@example.net" },
  ]);
});

test("an older console refuses a database that a newer one has changed", async () => {
  await it.stop();
  const db = new Sqlite(it.databaseFile);
  db.prepare(
    `INSERT INTO "_prisma_migrations" (id, checksum, migration_name, finished_at, applied_steps_count)
     VALUES ('x', 'x', '29990101000000_from_the_future', '2999-01-01', 1)`,
  ).run();
  db.close();
  await expect(it.start()).rejects.toThrow("made by a newer version");
});
