/** Single sign-on: its settings, and whose identity at a provider is whose account here. */
import { randomUUID } from "node:crypto";
import type { Role } from "@/server/core/access/permissions";
import type { Admitted } from "@/server/core/access/single-sign-on";
import { roleSchema } from "@/server/core/contracts/role";
import { type SingleSignOnSettings, singleSignOnSchema } from "@/server/core/contracts/single-sign-on";
import { type Database, patient, type Queries } from "./database";

const ONLY = 1;

/** `sealed`: the client's secret; null: the provider knows the client without one. */
export type Stored = { settings: SingleSignOnSettings; sealed: string | null };

export type Arrival = {
  issuer: string;
  subject: string;
  person: Admitted;
  /** Whether an account that has this address already may be taken. */
  linksExisting: boolean;
};

/** `was`: what the account was before. `keptLast`: the role stays, for nobody else manages users. */
export type Settled =
  | { ok: true; userId: string; email: string; was: "known" | "unlinked" | "new"; roles: Change; keptLast: boolean }
  | { ok: false; problem: "notLinked" | "otherIdentity" | "noRole" };
type Change = { before: Role | null; after: Role };

export class SingleSignOnStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Null: never set up. */
  async get(): Promise<Stored | null> {
    const row = await this.#db.singleSignOn.findUnique({ where: { id: ONLY } });
    return row && { settings: singleSignOnSchema.parse(JSON.parse(row.settings)), sealed: row.sealed };
  }

  async set({ settings, sealed }: Stored): Promise<void> {
    const row = { settings: JSON.stringify(settings), sealed };
    await this.#db.singleSignOn.upsert({ where: { id: ONLY }, create: { id: ONLY, ...row }, update: row });
  }

  /** Whether an administrator has come by this provider. */
  async anyAdministrator(issuer: string): Promise<boolean> {
    return (await this.#db.providerIdentity.count({ where: { issuer, user: { role: "administrator" } } })) > 0;
  }

  /** Whether a one-time link of this address was used since then. */
  async linkUsedSince(email: string, since: Date): Promise<boolean> {
    return (await this.#db.signInLink.count({ where: { email: email.toLowerCase(), usedAt: { gt: since } } })) > 0;
  }

  /** Finds, links or makes the account of who has come, and gives it its role: all or nothing. */
  settle(arrival: Arrival): Promise<Settled> {
    return this.#db.$transaction(async (tx): Promise<Settled> => {
      const { issuer, subject, person } = arrival;
      const identity = await tx.providerIdentity.findUnique({
        where: { issuer_subject: { issuer, subject } },
        include: { user: true },
      });
      if (identity) return { ...(await reRole(tx, identity.user, person.role)), was: "known" };
      const user = await tx.user.findUnique({ where: { email: person.email }, include: { identities: true } });
      if (!user) return makeUser(tx, arrival);
      if (user.identities.some((one) => one.issuer === issuer)) return { ok: false, problem: "otherIdentity" };
      if (!arrival.linksExisting) return { ok: false, problem: "notLinked" };
      await tx.providerIdentity.create({ data: { issuer, subject, userId: user.id } });
      return { ...(await reRole(tx, user, person.role)), was: "unlinked" };
    }, patient);
  }
}

/** Where nobody else manages users, an administrator stays one. */
async function reRole(tx: Queries, user: { id: string; email: string; role: string }, told: Role | null) {
  const before = roleSchema.parse(user.role);
  const others = { role: "administrator", id: { not: user.id } };
  const lowers = told !== null && told !== before && before === "administrator";
  const keptLast = lowers && (await tx.user.count({ where: others })) === 0;
  const after = keptLast ? before : (told ?? before);
  if (after !== before) await tx.user.update({ where: { id: user.id }, data: { role: after } });
  return { ok: true as const, userId: user.id, email: user.email, roles: { before, after }, keptLast };
}

/** An open invitation of the address is used up by it, and gives the role where the provider tells none. */
async function makeUser(tx: Queries, { issuer, subject, person }: Arrival): Promise<Settled> {
  const { email, name } = person;
  const invitation = await tx.signInLink.findFirst({
    where: { email, forPassword: false, usedAt: null, expiresAt: { gt: new Date() } },
  });
  const role = person.role ?? (invitation ? roleSchema.parse(invitation.role) : person.firstRole);
  if (role === null) return { ok: false, problem: "noRole" };
  if (invitation) await tx.signInLink.delete({ where: { tokenHash: invitation.tokenHash } });
  const id = randomUUID();
  await tx.user.create({
    data: { id, name, email, emailVerified: true, role, identities: { create: { issuer, subject } } },
  });
  return { ok: true, userId: id, email, was: "new", roles: { before: null, after: role }, keptLast: false };
}
