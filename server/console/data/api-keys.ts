/** Keys of programs. The key itself is nowhere: only its hash. */
import { z } from "zod";
import { scopeSchema } from "@/server/core/access/scopes";
import type { ApiKeyView } from "@/server/core/contracts/api-keys";
import type { Database } from "./database";
import type { ApiKey } from "./generated/client";

export type NewKey = Omit<ApiKey, "scopes" | "createdAt" | "lastUsedAt"> & Pick<ApiKeyView, "scopes">;

const scopeList = z.array(scopeSchema);

function toView({ keyHash: _, scopes, createdAt, expiresAt, lastUsedAt, ...row }: ApiKey): ApiKeyView {
  return {
    ...row,
    scopes: scopeList.parse(JSON.parse(scopes)),
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt?.toISOString() ?? null,
    lastUsedAt: lastUsedAt?.toISOString() ?? null,
  };
}

export class ApiKeyStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** By name, those that have ended too. */
  async list(): Promise<ApiKeyView[]> {
    return (await this.#db.apiKey.findMany({ orderBy: { name: "asc" } })).map(toView);
  }

  async create({ scopes, ...key }: NewKey): Promise<ApiKeyView> {
    return toView(await this.#db.apiKey.create({ data: { ...key, scopes: JSON.stringify(scopes) } }));
  }

  async find(id: string): Promise<ApiKeyView | null> {
    const row = await this.#db.apiKey.findUnique({ where: { id } });
    return row && toView(row);
  }

  async isName(name: string): Promise<boolean> {
    return (await this.#db.apiKey.count({ where: { name } })) > 0;
  }

  /** One that has not ended. */
  async findOpen(keyHash: string, now: Date): Promise<ApiKeyView | null> {
    const row = await this.#db.apiKey.findFirst({
      where: { keyHash, OR: [{ expiresAt: null }, { expiresAt: { gt: now } }] },
    });
    return row && toView(row);
  }

  async used(id: string, at: Date): Promise<void> {
    await this.#db.apiKey.updateMany({ where: { id }, data: { lastUsedAt: at } });
  }

  async remove(id: string): Promise<void> {
    await this.#db.apiKey.deleteMany({ where: { id } });
  }
}
