/** How people get in: the first administrator by the link that `stillframe up` prints, others by an invitation. */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hashPassword } from "better-auth/crypto";
import type { AccountState, LinkView, SignedIn } from "@/server/core/contracts/accounts";
import type { AccountStore } from "../../data/accounts";
import { fault } from "../fault-error";
import type { LockOut } from "./lock-out";
import { newToken, tokenHash } from "./one-time-token";

export type Newcomer = { token: string; name: string; email: string; password: string };

export class Accounts {
  readonly #store: AccountStore;
  readonly #lockOut: LockOut;
  readonly #linkFile: string;
  readonly #origin: string;

  /** `linkFile`: where the first link waits for `stillframe up` to print it, mode 0600. */
  constructor(store: AccountStore, lockOut: LockOut, linkFile: string, origin: string) {
    this.#store = store;
    this.#lockOut = lockOut;
    this.#linkFile = linkFile;
    this.#origin = origin;
  }

  async state(user: SignedIn | null): Promise<AccountState> {
    return { needsSetup: !(await this.#store.anyUser()), signedIn: user !== null, user };
  }

  /**
   * The link that makes the first administrator; null when there is one. A link that is still open stays
   * the same, so that one printed before a restart goes on working.
   */
  async link(): Promise<string | null> {
    if (await this.#store.anyUser()) {
      rmSync(this.#linkFile, { force: true });
      return null;
    }
    const kept = this.#keptToken();
    const token = kept && (await this.#store.openLink(tokenHash(kept))) ? kept : await this.#newLink();
    const url = `${this.#origin}/welcome?token=${token}`;
    writeFileSync(this.#linkFile, `${url}\n`, { mode: 0o600 });
    return url;
  }

  /** What a link is good for; null when it is used up, expired or unknown. */
  lookAt(token: string): Promise<LinkView | null> {
    return this.#store.openLink(tokenHash(token));
  }

  /** Uses up a link; returns the new user's address. An invitation's counts, not the one given. */
  async create({ token, name, email, password }: Newcomer): Promise<string> {
    // Looked at first: hashing takes long, and strangers may ask.
    const link = await this.lookAt(token);
    if (link?.purpose !== "account") throw usedUp();
    const passwordHash = await hashPassword(password);
    const outcome = await this.#store.createByLink(tokenHash(token), { name, email, passwordHash });
    if (outcome === "used") throw usedUp();
    if (outcome === "taken") throw fault("conflict", "Somebody has an account with this e-mail.", { field: "email" });
    rmSync(this.#linkFile, { force: true });
    return link.email ?? email;
  }

  /** Uses up a link for a new password; returns whose it is. All sign-ins of that user end. */
  async setPassword(token: string, password: string): Promise<string> {
    const link = await this.lookAt(token);
    if (link?.purpose !== "password" || link.email === null) throw usedUp();
    if (!(await this.#store.setPasswordByLink(tokenHash(token), await hashPassword(password)))) throw usedUp();
    await this.#lockOut.forgive(link.email);
    return link.email;
  }

  #keptToken(): string | null {
    if (!existsSync(this.#linkFile)) return null;
    return /token=([A-Za-z0-9_-]+)/.exec(readFileSync(this.#linkFile, "utf8"))?.[1] ?? null;
  }

  async #newLink(): Promise<string> {
    const token = newToken();
    await this.#store.keepLink(tokenHash(token));
    return token;
  }
}

function usedUp() {
  const message = "This link is not valid any more. Ask for a new one; `stillframe up` prints the first.";
  return fault("denied", message, { field: "token" });
}
