import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";

/**
 * Whose request it is, for limits and the audit log. Behind a proxy that is trusted, what the proxy says: the last
 * address in X-Forwarded-For that is not itself one of a trusted proxy. Anybody else may write that header at will.
 */
export function clientAddress(request: IncomingMessage, trustedProxies: ReadonlySet<string>): string {
  const direct = plain(request.socket.remoteAddress ?? "");
  if (!trustedProxies.has(direct)) return direct;
  const told = [request.headers["x-forwarded-for"] ?? []]
    .flat()
    .join(",")
    .split(",")
    .map((text) => plain(text.trim()));
  const client = told.findLast((address) => !trustedProxies.has(address));
  return client !== undefined && isIP(client) !== 0 ? client : direct;
}

/** An IPv4 address that came over an IPv6 socket is the same as without. */
const plain = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/, "");
