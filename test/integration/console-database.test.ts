/** The schema that the client was generated from and the migrations that users get must be one and the same. */
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import Sqlite from "better-sqlite3";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openDatabase } from "@/server/console/data/database";
import { Prisma } from "@/server/console/data/generated/client";
import { migrate } from "@/server/console/data/migrate";
import { programRoot } from "@/server/console/program-root";

const MIGRATIONS = path.join(programRoot(), "prisma", "migrations");

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), "stillframe-database-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

type Column = { name: string; type: string; notnull: number; pk: number };

test("every table and column of the client is in the migrated database, and nothing else is", () => {
  const file = path.join(directory, "console.db");
  expect(migrate(file, MIGRATIONS)).not.toEqual([]);
  const db = new Sqlite(file, { readonly: true });
  const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").pluck().all() as string[];
  const models = Object.values(Prisma.ModelName);
  expect(tables.filter((name) => !name.startsWith("_") && !name.startsWith("sqlite_")).sort()).toEqual(
    [...models].sort(),
  );
  for (const model of models) {
    const columns = db.pragma(`table_xinfo("${model}")`) as Column[];
    const fields = Prisma[`${model}ScalarFieldEnum`];
    expect(columns.map(({ name }) => name).sort(), model).toEqual(Object.values(fields).sort());
  }
  db.close();
});

test("every model can be read through the client", async () => {
  const db = await openDatabase(directory);
  for (const model of Object.values(Prisma.ModelName)) {
    const name = `${model[0]?.toLowerCase()}${model.slice(1)}` as Uncapitalize<typeof model>;
    const delegate = db[name] as unknown as { findMany: () => Promise<unknown[]> };
    expect(await delegate.findMany(), model).toEqual([]);
  }
  await db.$disconnect();
});

test("migrations are applied once, and one that was changed afterwards is noticed", () => {
  const file = path.join(directory, "console.db");
  migrate(file, MIGRATIONS);
  expect(migrate(file, MIGRATIONS)).toEqual([]);
  const db = new Sqlite(file);
  db.prepare(`UPDATE "_prisma_migrations" SET checksum = 'other'`).run();
  db.close();
  expect(() => migrate(file, MIGRATIONS)).toThrow("changed after it was applied");
});

test("what is written beside an open transaction is not lost when that rolls back, and sees nothing of it", async () => {
  const db = await openDatabase(directory);
  let beside: Promise<unknown> = Promise.resolve();
  const rolledBack = db.$transaction(async (tx) => {
    await tx.setting.create({ data: { key: "inside", value: "1" } });
    // Prisma sends a query when it is first awaited: `then` sends these now.
    beside = Promise.all([
      db.$executeRaw`INSERT INTO "Setting" ("key", "value") VALUES ('raw', '1')`.then(),
      db.setting.create({ data: { key: "beside", value: "1" } }).then(),
      db.setting.findUnique({ where: { key: "inside" } }).then((seen) => expect(seen).toBeNull()),
    ]);
    await new Promise((resolve) => setTimeout(resolve, 50));
    throw new Error("no");
  });
  await expect(rolledBack).rejects.toThrow("no");
  await beside;
  expect((await db.setting.findMany()).map(({ key }) => key).sort()).toEqual(["beside", "raw"]);
  await db.$disconnect();
});
