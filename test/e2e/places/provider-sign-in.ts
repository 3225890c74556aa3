/** The administrator as if they had no password here and had signed in by the company's provider, an hour ago. */
import Database from "better-sqlite3";
import { HOUR, NOW } from "./moment";

/** Returns what makes it as it was. */
export function signInByProvider(databaseFile: string): () => void {
  const db = new Database(databaseFile, { timeout: 10_000 });
  const sessions = db.prepare("SELECT id, createdAt FROM Session").all() as { id: string; createdAt: unknown }[];
  const begun = db.prepare("UPDATE Session SET createdAt = ? WHERE id = ?");
  const provider = db.prepare("UPDATE Account SET providerId = ? WHERE providerId = ?");
  const hourAgo = typeof sessions[0]?.createdAt === "number" ? NOW - HOUR : new Date(NOW - HOUR).toISOString();
  for (const { id } of sessions) begun.run(hourAgo, id);
  provider.run("single-sign-on", "credential");
  return () => {
    for (const { id, createdAt } of sessions) begun.run(createdAt, id);
    provider.run("credential", "single-sign-on");
    db.close();
  };
}
