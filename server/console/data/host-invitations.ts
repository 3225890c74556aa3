/** One-time tokens by which machines become hosts. The token itself is nowhere: only its hash. */
import type { Database } from "./database";
import type { HostInvitation } from "./generated/client";

export class HostInvitationStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Drops what ended long ago on the way. */
  async keep(invitation: Pick<HostInvitation, "tokenHash" | "invitedBy" | "expiresAt">, old: Date): Promise<void> {
    await this.#db.$transaction([
      this.#db.hostInvitation.deleteMany({ where: { expiresAt: { lt: old } } }),
      this.#db.hostInvitation.create({ data: invitation }),
    ]);
  }

  find(tokenHash: string): Promise<HostInvitation | null> {
    return this.#db.hostInvitation.findUnique({ where: { tokenHash } });
  }

  /** False: it was used, by another who was quicker, or has ended. */
  async use(tokenHash: string, at: Date): Promise<boolean> {
    const where = { tokenHash, usedAt: null, expiresAt: { gt: at } };
    return (await this.#db.hostInvitation.updateMany({ where, data: { usedAt: at } })).count === 1;
  }
}
