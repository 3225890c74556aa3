import { createHash, randomBytes } from "node:crypto";

/** Of a one-time link. What is stored is its hash: who reads the database cannot use it. */
export function newToken(): string {
  return randomBytes(32).toString("base64url");
}

export function tokenHash(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
