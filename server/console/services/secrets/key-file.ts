import { randomBytes } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

const KEY = /^[A-Za-z0-9_-]{43,}$/;

/**
 * The key in `file`, made if absent: 256 random bits in base64url, mode 0600. Console and worker may both be the
 * first to want the host key, so the file appears whole or not at all (`link` fails when it exists).
 */
export function readOrCreateKey(file: string): string {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${process.pid}.new`;
  writeFileSync(draft, `${randomBytes(32).toString("base64url")}\n`, { mode: 0o600, flag: "w", flush: true });
  try {
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  const key = readFileSync(file, "utf8").trim();
  if (!KEY.test(key))
    throw new Error(`${file} does not hold a key: remove it, and what it protected must be entered anew`);
  return key;
}
