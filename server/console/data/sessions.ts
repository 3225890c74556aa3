/** Open sign-ins. The accounts library makes and ends them; here they are listed and revoked. */
import type { SessionView } from "@/server/core/contracts/accounts";
import type { Database } from "./database";

export class SessionStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** A user's, newest first. `current`: the one that asks. */
  async ofUser(userId: string, current: string): Promise<SessionView[]> {
    const now = new Date();
    const found = await this.#db.session.findMany({
      where: { userId, expiresAt: { gt: now }, OR: [{ endsAt: null }, { endsAt: { gt: now } }] },
      orderBy: { createdAt: "desc" },
    });
    return found.map(({ id, createdAt, ipAddress, userAgent }) => ({
      id,
      current: id === current,
      createdAt: createdAt.toISOString(),
      address: ipAddress,
      userAgent,
    }));
  }

  /** Whether the user had it. */
  async end(userId: string, id: string): Promise<boolean> {
    return (await this.#db.session.deleteMany({ where: { userId, id } })).count > 0;
  }

  /** How many were ended. */
  async endOthers(userId: string, current: string): Promise<number> {
    return (await this.#db.session.deleteMany({ where: { userId, id: { not: current } } })).count;
  }
}
