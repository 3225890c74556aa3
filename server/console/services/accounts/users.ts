/** People and their roles, as an administrator manages them. */
import type { Role } from "@/server/core/access/permissions";
import type { Invitation, NewLink, UserView } from "@/server/core/contracts/accounts";
import type { AccountStore, Invited, Settled } from "../../data/accounts";
import { noteChange } from "../audit/change-note";
import { fault } from "../fault-error";
import { newToken, tokenHash } from "./one-time-token";

const LINK_DAYS = 7;
const DAY_MS = 86_400_000;

export class Users {
  readonly #store: AccountStore;
  readonly #origin: string;

  constructor(store: AccountStore, origin: string) {
    this.#store = store;
    this.#origin = origin;
  }

  list(): Promise<UserView[]> {
    return this.#store.users();
  }

  invitations(): Promise<Invitation[]> {
    return this.#store.invitations();
  }

  /** The link is told here and never again; a new invitation of the same address replaces the old one. */
  async invite(email: string, role: Role, invitedBy: string): Promise<NewLink> {
    if (await this.#store.isUser(email)) {
      throw fault("conflict", `${email} has an account already. Change its role instead.`, { field: "email" });
    }
    return this.#makeLink({ email, role, invitedBy, forPassword: false });
  }

  /** For somebody who has forgotten theirs. Until the link is used, the old one goes on working. */
  async passwordLink(email: string, invitedBy: string): Promise<NewLink> {
    const { role } = await this.byEmail(email);
    noteChange({ subject: email });
    return this.#makeLink({ email, role, invitedBy, forPassword: true });
  }

  async byEmail(email: string): Promise<UserView> {
    const user = (await this.#store.users()).find((one) => one.email === email.toLowerCase());
    if (!user) throw fault("notFound", `There is no user ${email}.`, { field: "email" });
    return user;
  }

  async #makeLink(invited: Omit<Invited, "expiresAt">): Promise<NewLink> {
    const token = newToken();
    const expiresAt = new Date(Date.now() + LINK_DAYS * DAY_MS);
    await this.#store.invite(tokenHash(token), { ...invited, expiresAt });
    return { link: `${this.#origin}/welcome?token=${token}`, expiresAt: expiresAt.toISOString() };
  }

  async withdraw(email: string): Promise<void> {
    if (!(await this.#store.withdraw(email))) throw fault("notFound", `There is no open invitation for ${email}.`);
  }

  async setRole(id: string, role: Role): Promise<void> {
    const before = await this.#noted(id);
    settled(await this.#store.setRole(id, role));
    if (before) noteChange({ after: { ...before, role } });
  }

  async remove(id: string): Promise<void> {
    await this.#noted(id);
    settled(await this.#store.remove(id));
  }

  async #noted(id: string): Promise<{ name: string; email: string; role: Role } | null> {
    const user = (await this.#store.users()).find((one) => one.id === id);
    if (!user) return null;
    const before = { name: user.name, email: user.email, role: user.role };
    noteChange({ subject: user.email, before });
    return before;
  }
}

function settled(outcome: Settled): void {
  if (outcome === "unknown") throw fault("notFound", "There is no such user any more.");
  if (outcome === "last") {
    throw fault("conflict", "This is the only administrator. Make somebody else one first.", { field: "role" });
  }
}
