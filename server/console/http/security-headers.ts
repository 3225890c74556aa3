import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";

/** By which a page's own inline scripts are told from injected ones. Pages read it from their request's headers. */
const NONCE_HEADER = "x-nonce";
const POLICY_HEADER = "content-security-policy";
const NONCE_BYTES = 16;

/** Scripts run from this console's files, or with the nonce of this very answer. React and the toasts set styles in place. */
function policy(nonce: string, developing: boolean): string {
  return [
    "default-src 'self'",
    // Next's development server evaluates code.
    `script-src 'self' 'nonce-${nonce}'${developing ? " 'unsafe-eval'" : ""}`,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "object-src 'none'",
    "base-uri 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join("; ");
}

/** Half a year. By name only: for `localhost` it would hold for every program on the viewer's machine. */
const TRANSPORT = "max-age=15768000";

/** On every answer. The request is given the nonce too, over whatever the client sent: Next takes it from the policy. */
export function setSecurityHeaders(
  request: IncomingMessage,
  response: ServerResponse,
  developing: boolean,
  tls: boolean,
): void {
  const nonce = randomBytes(NONCE_BYTES).toString("base64");
  const header = policy(nonce, developing);
  request.headers[NONCE_HEADER] = nonce;
  request.headers[POLICY_HEADER] = header;
  delete request.headers[`${POLICY_HEADER}-report-only`];
  response.setHeader(POLICY_HEADER, header);
  if (tls && !/^localhost(:|$)/i.test(request.headers.host ?? ""))
    response.setHeader("strict-transport-security", TRANSPORT);
  response.setHeader("x-content-type-options", "nosniff");
  response.setHeader("referrer-policy", "same-origin");
  response.setHeader("cross-origin-opener-policy", "same-origin");
  response.setHeader("permissions-policy", "camera=(), microphone=(), geolocation=()");
}
