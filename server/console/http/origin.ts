import type { IncomingMessage } from "node:http";

/**
 * Whether a browser sent the request from a page of this console. Browsers do not apply their same-origin rule
 * to WebSockets and to simple posts, so it is held here. `required`: a request without an Origin is refused too.
 */
export function sameOrigin(request: IncomingMessage, publicUrl: string | null, required: boolean): boolean {
  const { origin, host } = request.headers;
  if (origin === undefined) return !required;
  if (!URL.canParse(origin)) return false;
  const url = new URL(origin);
  return url.host === host || (publicUrl !== null && url.origin === new URL(publicUrl).origin);
}
