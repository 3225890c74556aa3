import type { ServerResponse } from "node:http";

/** Held for every answer. Next puts its boot data into inline scripts and styles, hence `unsafe-inline`. */
const POLICY = [
  "default-src 'self'",
  "script-src 'self' 'unsafe-inline'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self' data:",
  "connect-src 'self' ws: wss:",
  "object-src 'none'",
  "base-uri 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
];

/** `developing`: Next's development server evaluates code. */
export function setSecurityHeaders(response: ServerResponse, developing: boolean): void {
  const policy = POLICY.map((rule) => (developing && rule.startsWith("script-src") ? `${rule} 'unsafe-eval'` : rule));
  response.setHeader("content-security-policy", policy.join("; "));
  response.setHeader("x-content-type-options", "nosniff");
  response.setHeader("referrer-policy", "same-origin");
}
