/**
 * Keys that let programs in. A key belongs to the console, not to who made it: it holds scopes, never a role, and
 * goes on when that person leaves. The accounts library's own keys are not used: there every signed-in user makes
 * keys for themselves, past the permission table and the audit log.
 */
import { randomUUID } from "node:crypto";
import { type Allowance, spend } from "@/server/core/access/key-rate";
import type { ApiKeyInput, ApiKeyView, NewApiKey } from "@/server/core/contracts/api-keys";
import type { ApiKeyStore } from "../../data/api-keys";
import { newToken, tokenHash } from "../accounts/one-time-token";
import { noteChange } from "../audit/change-note";
import { fault } from "../fault-error";

/** So that a key is known for one wherever it turns up. */
const PREFIX = "stillframe_";
const HINT_LENGTH = PREFIX.length + 4;
const DAY_MS = 86_400_000;
const USED_EVERY_MS = 60_000;

export class ApiKeys {
  readonly #store: ApiKeyStore;
  /** By key; a key that is revoked comes no more. */
  readonly #allowances = new Map<string, Allowance>();

  constructor(store: ApiKeyStore) {
    this.#store = store;
  }

  list(): Promise<ApiKeyView[]> {
    return this.#store.list();
  }

  /** The key is told here and never again. */
  async create({ name, scopes, expiresInDays }: ApiKeyInput, createdBy: string): Promise<NewApiKey> {
    if (await this.#store.isName(name)) {
      throw fault("conflict", `There is already a key “${name}”. Choose another name.`, { field: "name" });
    }
    const key = PREFIX + newToken();
    const made = await this.#store.create({
      id: randomUUID(),
      name,
      keyHash: tokenHash(key),
      hint: key.slice(0, HINT_LENGTH),
      scopes: [...new Set(scopes)],
      createdBy,
      expiresAt: expiresInDays === null ? null : new Date(Date.now() + expiresInDays * DAY_MS),
    });
    noteChange({ after: { name, scopes: made.scopes, expiresAt: made.expiresAt } });
    return { ...made, key };
  }

  /** It lets nobody in from here on. */
  async remove(id: string): Promise<void> {
    const found = await this.#store.find(id);
    if (!found) throw fault("notFound", "There is no such key any more.", { field: "id" });
    const { name, scopes, expiresAt } = found;
    noteChange({ subject: name, before: { name, scopes, expiresAt } });
    await this.#store.remove(id);
    this.#allowances.delete(id);
  }

  /** Counts a request by the key; above 0 it came too soon, by so many milliseconds. */
  waitFor(id: string, now = performance.now()): number {
    const { next, waitMs } = spend(this.#allowances.get(id) ?? null, now);
    this.#allowances.set(id, next);
    return waitMs;
  }

  /** Whose key it is; null when it is unknown, revoked or has ended. */
  async holder(key: string, now = new Date()): Promise<ApiKeyView | null> {
    const found = await this.#store.findOpen(tokenHash(key), now);
    if (found && now.getTime() - Date.parse(found.lastUsedAt ?? "1970-01-01T00:00Z") >= USED_EVERY_MS) {
      await this.#store.used(found.id, now);
    }
    return found;
  }
}
