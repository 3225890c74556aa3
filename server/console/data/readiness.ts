/** Whether the database can be worked with. */
import { readdirSync } from "node:fs";
import path from "node:path";
import { programRoot } from "../program-root";
import type { Database } from "./database";

export class ReadinessStore {
  readonly #db: Database;
  /** Those that this program was started with. */
  readonly #migrations = readdirSync(path.join(programRoot(), "prisma", "migrations"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);

  constructor(db: Database) {
    this.#db = db;
  }

  async answers(): Promise<boolean> {
    await this.#db.$queryRaw`SELECT 1`;
    return true;
  }

  /** Neither is one missing nor is there one of a newer program. */
  async migrated(): Promise<boolean> {
    const rows = await this.#db.$queryRaw<{ name: string }[]>`
      SELECT migration_name AS "name" FROM "_prisma_migrations"
      WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL`;
    const applied = new Set(rows.map(({ name }) => name));
    return applied.size === this.#migrations.length && this.#migrations.every((name) => applied.has(name));
  }
}
