/**
 * A code of an authenticator app is good once (RFC 6238, 5.2), though its time window is longer: whoever looked over
 * a shoulder finds it used. A code is taken before it is judged, so that two at once cannot both pass, and given back
 * when it was wrong: the next person's right one may look the same.
 */
import type { createAuthMiddleware } from "better-auth/api";

type Hooked = Parameters<Parameters<typeof createAuthMiddleware>[0]>[0];

/** Longer than any code is accepted: its own half minute, the one before and the one after. */
const KEPT_MS = 120_000;

/** Codes that requests under way have taken. */
export class TakenCodes {
  readonly #taken = new WeakMap<Request, string>();

  /** False: the code has let this account in already, or is just trying to. */
  async take({ body, request, context }: Hooked, account: string): Promise<boolean> {
    const { code } = (body ?? {}) as { code?: unknown };
    if (typeof code !== "string" || !request) return true;
    const identifier = `code-${account.toLowerCase()}-${code.replace(/\D/g, "")}`;
    const expiresAt = new Date(Date.now() + KEPT_MS);
    const first = await context.internalAdapter.reserveVerificationValue({ identifier, value: "taken", expiresAt });
    if (first) this.#taken.set(request, identifier);
    return first;
  }

  async giveBack({ request, context }: Hooked): Promise<void> {
    const identifier = request && this.#taken.get(request);
    if (identifier) await context.internalAdapter.deleteVerificationByIdentifier(identifier);
  }
}
