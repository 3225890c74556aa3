/** The console's database loses what its pages show: every question about it fails, as with a disk that is damaged. */
import Database from "better-sqlite3";

/** Accounts stay, so that the one who is signed in still is. */
const LOST = [
  ...["Host", "Job", "Run", "Failure", "Setting", "MeasuredVolume", "ArticleFeedback"],
  ...["ApiKey", "AuditEntry", "NotificationChannel", "NotificationDelivery", "SignInLink", "SingleSignOn", "Passkey"],
];

export function loseTables(databaseFile: string): void {
  rename(databaseFile, (table) => [table, `${table} lost`]);
}

export function findTables(databaseFile: string): void {
  rename(databaseFile, (table) => [`${table} lost`, table]);
}

function rename(databaseFile: string, how: (table: string) => [string, string]): void {
  const db = new Database(databaseFile, { timeout: 10_000 });
  try {
    // What refers to a table goes on referring to its name.
    db.pragma("legacy_alter_table = ON");
    db.pragma("foreign_keys = OFF");
    db.transaction(() => {
      for (const [from, to] of LOST.map(how)) db.exec(`ALTER TABLE "${from}" RENAME TO "${to}"`);
    })();
  } finally {
    db.close();
  }
}
