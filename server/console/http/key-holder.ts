import type { IncomingMessage } from "node:http";
import type { Permission } from "@/server/core/access/permissions";
import { grants, scopesFor, scopeTexts } from "@/server/core/access/scopes";
import type { ApiKeyView } from "@/server/core/contracts/api-keys";
import type { ApiKeys } from "../services/api-keys/api-keys";

const BEARER = /^Bearer +([\w-]{1,200}) *$/i;

/** Who sent the request, by the key in `Authorization: Bearer …`; null without one that is good. */
export async function keyHolderOf(apiKeys: ApiKeys, request: IncomingMessage): Promise<ApiKeyView | null> {
  const key = BEARER.exec(request.headers.authorization ?? "")?.[1];
  return key === undefined ? null : apiKeys.holder(key);
}

/** Seconds after which the holder may ask again, for `Retry-After`; null: now. */
export function tooSoon(apiKeys: ApiKeys, holder: ApiKeyView | null): number | null {
  const waitMs = holder ? apiKeys.waitFor(holder.id) : 0;
  return waitMs > 0 ? Math.ceil(waitMs / 1000) : null;
}

export type Refusal = { status: 401 | 403; message: string; challenge: string };

/** Why the holder may not (RFC 6750); null: they may. */
export function refusalOf(holder: ApiKeyView | null, permission: Permission): Refusal | null {
  const scopes = scopesFor(permission);
  const words = scopes.map((scope) => `“${scopeTexts[scope].label}”`).join(" or ");
  if (!holder) {
    const message = `This needs an API key with the scope ${words}, as “Authorization: Bearer KEY”. The one given, if any, is unknown, revoked or expired.`;
    return { status: 401, message, challenge: 'Bearer realm="stillframe"' };
  }
  if (grants(holder.scopes, permission)) return null;
  const message = `This needs a key with the scope ${words}; “${holder.name}” does not have it.`;
  const challenge = `Bearer realm="stillframe", error="insufficient_scope", scope="${scopes.join(" ")}"`;
  return { status: 403, message, challenge };
}
