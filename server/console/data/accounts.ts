/** The administrator and the one-time link that makes the first one. */
import { randomUUID } from "node:crypto";
import { prismaAdapter } from "better-auth/adapters/prisma";
import { type Database, patient } from "./database";

export type NewAdministrator = { name: string; email: string; passwordHash: string };

/** The accounts library's way to the database. */
export const accountTables = (db: Database) => prismaAdapter(db, { provider: "sqlite" });

export class AccountStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async anyUser(): Promise<boolean> {
    return (await this.#db.user.count()) > 0;
  }

  /** Replaces every earlier link. */
  async keepLink(tokenHash: string): Promise<void> {
    await this.#db.$transaction([
      this.#db.signInLink.deleteMany({ where: { usedAt: null } }),
      this.#db.signInLink.create({ data: { tokenHash } }),
    ]);
  }

  async isOpenLink(tokenHash: string): Promise<boolean> {
    return (await this.#db.signInLink.count({ where: { tokenHash, usedAt: null } })) > 0;
  }

  /** Uses up the link and makes the administrator, both or neither. `used`: the link is not, or no longer, valid. */
  createFirst(tokenHash: string, administrator: NewAdministrator): Promise<"created" | "used"> {
    return this.#db.$transaction(async (tx) => {
      if ((await tx.user.count()) > 0) return "used";
      const link = await tx.signInLink.updateMany({
        where: { tokenHash, usedAt: null },
        data: { usedAt: new Date() },
      });
      if (link.count === 0) return "used";
      const { name, email, passwordHash } = administrator;
      const user = await tx.user.create({ data: { id: randomUUID(), name, email: email.toLowerCase() } });
      await tx.account.create({
        data: {
          id: randomUUID(),
          accountId: user.id,
          providerId: "credential",
          userId: user.id,
          password: passwordHash,
        },
      });
      return "created";
    }, patient);
  }
}
