import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

export const hashKey = (key: string): string => createHash("sha256").update(key).digest("hex");

/** The host whose key the request shows, compared in constant time against every host's; null if none. */
export function hostOf(request: IncomingMessage, hosts: { id: string; keyHash: string }[]): string | null {
  const shown = /^Bearer (\S+)$/.exec(request.headers.authorization ?? "")?.[1];
  if (shown === undefined) return null;
  const hash = Buffer.from(hashKey(shown), "hex");
  let found: string | null = null;
  for (const host of hosts) {
    const known = Buffer.from(host.keyHash, "hex");
    if (known.length === hash.length && timingSafeEqual(known, hash)) found = host.id;
  }
  return found;
}
