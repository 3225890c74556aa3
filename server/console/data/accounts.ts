/** People, and the one-time links that let them in. */
import { randomUUID } from "node:crypto";
import { prismaAdapter } from "better-auth/adapters/prisma";
import type { Role } from "@/server/core/access/permissions";
import type { Invitation, LinkView, UserView } from "@/server/core/contracts/accounts";
import { roleSchema } from "@/server/core/contracts/role";
import { type Database, patient, type Queries } from "./database";

export type NewUser = { name: string; email: string; passwordHash: string };
/** `last`: nobody would be left who can manage users. */
export type Settled = "done" | "unknown" | "last";
export type Invited = { email: string; role: Role; invitedBy: string; expiresAt: Date; forPassword: boolean };

/** The accounts library's way to the database. */
export const accountTables = (db: Database) => prismaAdapter(db, { provider: "sqlite" });

const open = (now = new Date()) => ({ usedAt: null, OR: [{ expiresAt: null }, { expiresAt: { gt: now } }] });

const credential = (userId: string, password: string) => ({
  id: randomUUID(),
  accountId: userId,
  providerId: "credential",
  userId,
  password,
});

export class AccountStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async anyUser(): Promise<boolean> {
    return (await this.#db.user.count()) > 0;
  }

  /** By name. */
  async users(): Promise<UserView[]> {
    const found = await this.#db.user.findMany({
      orderBy: [{ name: "asc" }, { id: "asc" }],
      include: { sessions: { orderBy: { createdAt: "desc" }, take: 1 } },
    });
    return found.map(({ id, name, email, role, createdAt, sessions, twoFactorEnabled }) => ({
      id,
      name,
      email,
      role: roleSchema.parse(role),
      createdAt: createdAt.toISOString(),
      lastSignInAt: sessions[0]?.createdAt.toISOString() ?? null,
      secondFactor: twoFactorEnabled,
    }));
  }

  async isUser(email: string): Promise<boolean> {
    return (await this.#db.user.count({ where: { email: email.toLowerCase() } })) > 0;
  }

  /** The first administrator's link; replaces every earlier one. */
  async keepLink(tokenHash: string): Promise<void> {
    await this.#db.$transaction([
      this.#db.signInLink.deleteMany({ where: { usedAt: null } }),
      this.#db.signInLink.create({ data: { tokenHash } }),
    ]);
  }

  async openLink(tokenHash: string): Promise<LinkView | null> {
    const link = await this.#db.signInLink.findFirst({ where: { tokenHash, ...open() } });
    if (!link) return null;
    const purpose = link.forPassword ? "password" : "account";
    return { purpose, role: roleSchema.parse(link.role), email: link.email };
  }

  /** Replaces an earlier link of the same address. */
  async invite(tokenHash: string, invited: Invited): Promise<void> {
    const email = invited.email.toLowerCase();
    await this.#db.$transaction([
      this.#db.signInLink.deleteMany({ where: { usedAt: null, email } }),
      this.#db.signInLink.create({ data: { ...invited, tokenHash, email } }),
    ]);
  }

  /** Open ones, by address. */
  async invitations(): Promise<Invitation[]> {
    const found = await this.#db.signInLink.findMany({
      where: { email: { not: null }, forPassword: false, ...open() },
      orderBy: { email: "asc" },
    });
    return found.map((link) => ({
      email: link.email ?? "",
      role: roleSchema.parse(link.role),
      invitedBy: link.invitedBy ?? "",
      expiresAt: (link.expiresAt ?? link.createdAt).toISOString(),
    }));
  }

  /** Whether there was one. A link for a new password of the same address stays. */
  async withdraw(email: string): Promise<boolean> {
    const { count } = await this.#db.signInLink.deleteMany({
      where: { usedAt: null, forPassword: false, email: email.toLowerCase() },
    });
    return count > 0;
  }

  /** Uses up the link and makes the user, both or neither. `used`: the link is not, or no longer, valid. */
  createByLink(tokenHash: string, person: NewUser): Promise<"created" | "used" | "taken"> {
    return this.#db.$transaction(async (tx) => {
      const link = await tx.signInLink.findFirst({ where: { tokenHash, forPassword: false, ...open() } });
      if (!link || (link.email === null && (await tx.user.count()) > 0)) return "used";
      const email = (link.email ?? person.email).toLowerCase();
      if ((await tx.user.count({ where: { email } })) > 0) return "taken";
      await tx.signInLink.update({ where: { tokenHash }, data: { usedAt: new Date() } });
      const user = await tx.user.create({
        data: { id: randomUUID(), name: person.name, email, role: link.role },
      });
      await tx.account.create({
        data: credential(user.id, person.passwordHash),
      });
      return "created";
    }, patient);
  }

  /** Uses up the link, sets the password and ends all sign-ins, all or nothing. False: the link is not valid. */
  setPasswordByLink(tokenHash: string, passwordHash: string): Promise<boolean> {
    return this.#db.$transaction(async (tx) => {
      const link = await tx.signInLink.findFirst({ where: { tokenHash, forPassword: true, ...open() } });
      const user = link?.email ? await tx.user.findUnique({ where: { email: link.email } }) : null;
      if (!user) return false;
      await tx.signInLink.update({ where: { tokenHash }, data: { usedAt: new Date() } });
      const { count } = await tx.account.updateMany({
        where: { userId: user.id, providerId: "credential" },
        data: { password: passwordHash },
      });
      // Who came by single sign-on has had none.
      if (count === 0) await tx.account.create({ data: credential(user.id, passwordHash) });
      await tx.session.deleteMany({ where: { userId: user.id } });
      return true;
    }, patient);
  }

  setRole(id: string, role: Role): Promise<Settled> {
    return this.#changeUser(id, role === "administrator", (tx) => tx.user.update({ where: { id }, data: { role } }));
  }

  /** Their sessions go with them. */
  remove(id: string): Promise<Settled> {
    return this.#changeUser(id, false, (tx) => tx.user.delete({ where: { id } }));
  }

  /** `remains`: the user is an administrator afterwards. */
  #changeUser(id: string, remains: boolean, change: (tx: Queries) => Promise<unknown>): Promise<Settled> {
    return this.#db.$transaction(async (tx) => {
      if ((await tx.user.count({ where: { id } })) === 0) return "unknown";
      const others = await tx.user.count({ where: { role: "administrator", id: { not: id } } });
      if (!remains && others === 0) return "last";
      await change(tx);
      return "done";
    }, patient);
  }
}
