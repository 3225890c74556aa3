import { mkdirSync } from "node:fs";
import path from "node:path";
import { programRoot } from "../program-root";
import { PrismaClient } from "./generated/client";
import { migrate } from "./migrate";
import { OneAtATimeSqlite } from "./one-at-a-time-adapter";

export type Database = PrismaClient;
/** What a query needs: the database, or a transaction on it. */
export type Queries = Omit<Database, "$connect" | "$disconnect" | "$on" | "$use" | "$extends" | "$transaction">;

/** A transaction that waits long for its turn rather than fail: the host may be busy with a backup. */
export const patient = { maxWait: 30_000, timeout: 30_000 };

/** Opens the database in `directory` (made 0700), brought up to the newest migration. `$disconnect` closes it. */
export async function openDatabase(directory: string): Promise<Database> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const file = path.join(directory, "console.db");
  migrate(file, path.join(programRoot(), "prisma", "migrations"));
  // Errors without the query's values: they go to the log.
  const database = new PrismaClient({ adapter: new OneAtATimeSqlite({ url: `file:${file}` }), errorFormat: "minimal" });
  await database.$connect();
  return database;
}
