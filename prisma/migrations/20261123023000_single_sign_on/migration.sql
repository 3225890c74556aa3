-- Sign-in by a provider: its settings in one row, and whose identity there is whose account here.
CREATE TABLE "SingleSignOn" (
    "id" INTEGER NOT NULL PRIMARY KEY DEFAULT 1,
    "settings" TEXT NOT NULL,
    "sealed" TEXT
);

CREATE TABLE "ProviderIdentity" (
    "issuer" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "userId" TEXT NOT NULL,
    "createdAt" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY ("issuer", "subject"),
    CONSTRAINT "ProviderIdentity_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE UNIQUE INDEX "ProviderIdentity_userId_issuer_key" ON "ProviderIdentity"("userId", "issuer");
