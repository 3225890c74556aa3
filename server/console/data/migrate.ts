/**
 * Brings a database up to the newest migration when the console starts, without Prisma's command line.
 *
 * Migrations are the folders of `prisma/migrations`, applied in the order of their names and recorded in
 * `_prisma_migrations` the way Prisma does, so that its tools agree about what was applied. Each runs in a
 * transaction of its own together with its record: it is there whole or not at all, also after a power cut.
 * `BEGIN IMMEDIATE` is the lock: a second console waits, then finds the work done.
 */
import { createHash, randomUUID } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import Sqlite from "better-sqlite3";

const LEDGER = `CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
  "id" TEXT PRIMARY KEY NOT NULL,
  "checksum" TEXT NOT NULL,
  "finished_at" DATETIME,
  "migration_name" TEXT NOT NULL,
  "logs" TEXT,
  "rolled_back_at" DATETIME,
  "started_at" DATETIME NOT NULL DEFAULT current_timestamp,
  "applied_steps_count" INTEGER UNSIGNED NOT NULL DEFAULT 0
)`;

const LOCK_WAIT_MS = 30_000;

type Migration = { name: string; sql: string; checksum: string };

/** Applies what is missing; returns the names of what it applied. */
export function migrate(file: string, directory: string): string[] {
  const db = new Sqlite(file);
  try {
    db.pragma(`busy_timeout = ${LOCK_WAIT_MS}`);
    db.pragma("journal_mode = WAL");
    db.pragma("synchronous = FULL");
    // Rebuilding a table drops it first, which enforced keys would turn into deleted rows; checked afterwards.
    db.pragma("foreign_keys = OFF");
    db.exec(LEDGER);
    const migrations = read(directory);
    refuseNewer(db, migrations);
    return migrations.filter((migration) => apply(db, migration)).map((migration) => migration.name);
  } finally {
    db.close();
  }
}

function read(directory: string): Migration[] {
  return readdirSync(directory)
    .filter((name) => existsSync(path.join(directory, name, "migration.sql")))
    .sort()
    .map((name) => {
      const sql = readFileSync(path.join(directory, name, "migration.sql"), "utf8");
      return { name, sql, checksum: createHash("sha256").update(sql).digest("hex") };
    });
}

/** An older program must not write into a database that a newer one has changed. */
function refuseNewer(db: Sqlite.Database, known: Migration[]): void {
  const names = new Set(known.map((migration) => migration.name));
  const applied = db
    .prepare(`SELECT migration_name AS name FROM "_prisma_migrations" WHERE finished_at IS NOT NULL`)
    .all() as { name: string }[];
  const newer = applied.find(({ name }) => !names.has(name));
  if (newer) throw new Error(`the database was made by a newer version (migration ${newer.name}): update this program`);
}

function apply(db: Sqlite.Database, { name, sql, checksum }: Migration): boolean {
  db.exec("BEGIN IMMEDIATE");
  try {
    const done = db
      .prepare(
        `SELECT checksum FROM "_prisma_migrations"
         WHERE migration_name = ? AND finished_at IS NOT NULL AND rolled_back_at IS NULL`,
      )
      .get(name) as { checksum: string } | undefined;
    if (done) {
      db.exec("ROLLBACK");
      if (done.checksum !== checksum) throw new Error(`migration ${name} was changed after it was applied`);
      return false;
    }
    db.exec(sql);
    const broken = db.pragma("foreign_key_check") as unknown[];
    if (broken.length > 0) throw new Error(`migration ${name} leaves ${broken.length} rows without what they refer to`);
    const now = new Date().toISOString();
    db.prepare(
      `INSERT INTO "_prisma_migrations" (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
       VALUES (?, ?, ?, ?, ?, 1)`,
    ).run(randomUUID(), checksum, name, now, now);
    db.exec("COMMIT");
    return true;
  } catch (error) {
    if (db.inTransaction) db.exec("ROLLBACK");
    throw error;
  }
}
