/** How machines become hosts: an administrator makes a one-time token, the machine shows it with the hash of its key. */
import type { HostInvitation, Joined } from "@/server/core/contracts/joining";
import type { HostInvitationStore } from "../../data/host-invitations";
import { newToken, tokenHash } from "../accounts/one-time-token";
import type { Audit } from "../audit/audit";
import { fault } from "../fault-error";
import type { Hosts } from "./hosts";

const HOUR_MS = 3_600_000;
const KEPT_MS = 30 * 24 * HOUR_MS;

export class Joining {
  readonly #store: HostInvitationStore;
  readonly #hosts: Hosts;
  readonly #audit: Audit;
  readonly #origin: string;

  constructor(store: HostInvitationStore, parts: { hosts: Hosts; audit: Audit; origin: string }) {
    this.#store = store;
    this.#hosts = parts.hosts;
    this.#audit = parts.audit;
    this.#origin = parts.origin;
  }

  /** Good for one machine, for an hour; told here and never again. */
  async invite(invitedBy: string): Promise<HostInvitation> {
    const token = newToken();
    const expiresAt = new Date(Date.now() + HOUR_MS);
    await this.#store.keep({ tokenHash: tokenHash(token), invitedBy, expiresAt }, new Date(Date.now() - KEPT_MS));
    return { token, expiresAt: expiresAt.toISOString(), origin: this.#origin };
  }

  /** Throws a fault (`denied`) for a token that opens nothing. */
  async check(token: string | null): Promise<void> {
    const found = token === null ? null : await this.#store.find(tokenHash(token));
    if (found === null) throw refused("The token is missing or wrong");
    if (found.usedAt !== null) throw refused("The token was used already");
    if (found.expiresAt <= new Date()) throw refused("The token has ended: it is good for an hour");
  }

  /** Uses the token up. A machine that is a host already, by the key that it has, stays the one it is. */
  async join(token: string, hostname: string, keyHash: string, address: string | null): Promise<Joined> {
    await this.check(token);
    const actor = { by: `root on ${hostname}`, role: null, address };
    return this.#audit.around(actor, "hosts.join", { name: hostname }, async () => {
      if (!(await this.#store.use(tokenHash(token), new Date()))) throw refused("The token was used already");
      const { id, name } = (await this.#hosts.withKey(keyHash)) ?? (await this.#hosts.add(hostname, keyHash));
      return { hostId: id, name };
    });
  }
}

const refused = (why: string) =>
  fault("denied", `${why}. Make a new command in the console: Hosts, Add a host.`, { field: "token" });
