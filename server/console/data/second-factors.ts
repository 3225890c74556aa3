/** Second factors and passkeys. The accounts library makes and checks them; here they are looked at and removed. */
import type { PasskeyView } from "@/server/core/contracts/accounts";
import { type Database, patient } from "./database";

export class SecondFactorStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** The sealed backup codes of a second factor that counts; null: there is none. */
  async backupCodes(userId: string): Promise<string | null> {
    const found = await this.#db.twoFactor.findFirst({
      where: { userId, verified: true, user: { twoFactorEnabled: true } },
    });
    return found?.backupCodes ?? null;
  }

  /** Their sign-ins end with it. False: there was none. */
  remove(userId: string): Promise<boolean> {
    return this.#db.$transaction(async (tx) => {
      const { count } = await tx.user.updateMany({
        where: { id: userId, twoFactorEnabled: true },
        data: { twoFactorEnabled: false },
      });
      await tx.twoFactor.deleteMany({ where: { userId } });
      if (count > 0) await tx.session.deleteMany({ where: { userId } });
      return count > 0;
    }, patient);
  }

  async hasPassword(userId: string): Promise<boolean> {
    const where = { userId, providerId: "credential", password: { not: null } };
    return (await this.#db.account.count({ where })) > 0;
  }

  async anyPasskey(): Promise<boolean> {
    return (await this.#db.passkey.findFirst({ select: { id: true } })) !== null;
  }

  /** Oldest first. */
  async passkeys(userId: string): Promise<PasskeyView[]> {
    const found = await this.#db.passkey.findMany({
      where: { userId },
      orderBy: [{ createdAt: "asc" }, { id: "asc" }],
    });
    return found.map(({ id, name, createdAt }) => ({
      id,
      name: name ?? "Passkey",
      createdAt: (createdAt ?? new Date(0)).toISOString(),
    }));
  }

  /** Whether the user had it. */
  async renamePasskey(userId: string, id: string, name: string): Promise<boolean> {
    return (await this.#db.passkey.updateMany({ where: { userId, id }, data: { name } })).count > 0;
  }

  async removePasskey(userId: string, id: string): Promise<boolean> {
    return (await this.#db.passkey.deleteMany({ where: { userId, id } })).count > 0;
  }
}
