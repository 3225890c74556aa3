-- A machine becomes a host of this console by a one-time token.
CREATE TABLE "HostInvitation" (
    "tokenHash" TEXT NOT NULL PRIMARY KEY,
    "invitedBy" TEXT NOT NULL,
    "createdAt" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expiresAt" DATETIME NOT NULL,
    "usedAt" DATETIME
);

-- A host that was removed: its runs and failures still say where they were.
ALTER TABLE "Host" ADD COLUMN "removedAt" DATETIME;
