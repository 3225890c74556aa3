/** The one administrator, and the one-time link that makes them. */
import { createHash, randomBytes } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hashPassword } from "better-auth/crypto";
import type { AccountState } from "@/server/core/contracts/views";
import type { AccountStore } from "../../data/accounts";
import { fault } from "../fault-error";

export type Administrator = { token: string; name: string; email: string; password: string };

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

export class Accounts {
  readonly #store: AccountStore;
  readonly #linkFile: string;
  readonly #origin: string;

  /** `linkFile`: where the link waits for `stillframe up` to print it, mode 0600. */
  constructor(store: AccountStore, linkFile: string, origin: string) {
    this.#store = store;
    this.#linkFile = linkFile;
    this.#origin = origin;
  }

  async state(viewer: { name: string; email: string } | null): Promise<AccountState> {
    const user = viewer && { name: viewer.name, email: viewer.email };
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
    const token = kept && (await this.#store.isOpenLink(sha256(kept))) ? kept : await this.#newToken();
    const url = `${this.#origin}/welcome?token=${token}`;
    writeFileSync(this.#linkFile, `${url}\n`, { mode: 0o600 });
    return url;
  }

  async createAdministrator({ token, name, email, password }: Administrator): Promise<void> {
    const passwordHash = await hashPassword(password);
    const outcome = await this.#store.createFirst(sha256(token), { name, email, passwordHash });
    if (outcome === "used") {
      throw fault("denied", "This link is not valid any more. `stillframe up` prints the one that is.", {
        field: "token",
      });
    }
    rmSync(this.#linkFile, { force: true });
  }

  #keptToken(): string | null {
    if (!existsSync(this.#linkFile)) return null;
    return /token=([A-Za-z0-9_-]+)/.exec(readFileSync(this.#linkFile, "utf8"))?.[1] ?? null;
  }

  async #newToken(): Promise<string> {
    const token = randomBytes(32).toString("base64url");
    await this.#store.keepLink(sha256(token));
    return token;
  }
}
