-- Who did what. Rows are added and, once old, removed; never changed.
CREATE TABLE "AuditEntry" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "by" TEXT NOT NULL,
    "role" TEXT,
    "address" TEXT,
    "action" TEXT NOT NULL,
    "subject" TEXT,
    "outcome" TEXT NOT NULL,
    "message" TEXT,
    "input" JSONB,
    "before" JSONB,
    "after" JSONB
);
CREATE INDEX "AuditEntry_action_idx" ON "AuditEntry"("action");
CREATE INDEX "AuditEntry_by_idx" ON "AuditEntry"("by");
CREATE TRIGGER "AuditEntry_is_never_changed" BEFORE UPDATE ON "AuditEntry"
BEGIN
    SELECT RAISE(ABORT, 'an entry of the audit log cannot be changed');
END;
