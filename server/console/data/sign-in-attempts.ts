/** Wrong attempts to sign in, and who has to wait: `server/core/access/lock-out.ts`. */
import { type Attempts, counted, FORGOTTEN_AFTER_MS, type LockOutRule, waitLeft } from "@/server/core/access/lock-out";
import { type Database, patient } from "./database";

export type Counter = { key: string; rule: LockOutRule };
/** `waitMs`: refused for so long. `locks`: which counters make the next attempt wait if this is wrong, and how long. */
export type Begun = { waitMs: number; locks: ReadonlyMap<string, number> };

export class SignInAttemptStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Counts an attempt on all counters, or on none where one has to wait. */
  begin(counters: readonly Counter[], now = new Date()): Promise<Begun> {
    return this.#db.$transaction(async (tx) => {
      await tx.signInAttempts.deleteMany({ where: { lastAt: { lt: new Date(now.getTime() - FORGOTTEN_AFTER_MS) } } });
      const before = new Map<string, Attempts>();
      for (const row of await tx.signInAttempts.findMany({ where: { key: { in: counters.map(({ key }) => key) } } })) {
        before.set(row.key, row);
      }
      const waitMs = Math.max(0, ...[...before.values()].map((attempts) => waitLeft(attempts, now)));
      const locks = new Map<string, number>();
      if (waitMs > 0) return { waitMs, locks };
      for (const { key, rule } of counters) {
        const after = counted(before.get(key) ?? null, rule, now);
        await tx.signInAttempts.upsert({ where: { key }, create: { key, ...after }, update: after });
        if (waitLeft(after, now) > 0) locks.set(key, waitLeft(after, now));
      }
      return { waitMs, locks };
    }, patient);
  }

  /** The attempt was not wrong. */
  async takeBack(keys: readonly string[]): Promise<void> {
    await this.#db.signInAttempts.updateMany({
      where: { key: { in: [...keys] }, failures: { gt: 0 } },
      data: { failures: { decrement: 1 }, lockedUntil: null },
    });
  }

  async forget(key: string): Promise<void> {
    await this.#db.signInAttempts.deleteMany({ where: { key } });
  }
}
