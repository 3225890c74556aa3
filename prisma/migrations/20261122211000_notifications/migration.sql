-- Where notifications go; the secret is sealed like a job's.
CREATE TABLE "NotificationChannel" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "name" TEXT NOT NULL,
    "enabled" BOOLEAN NOT NULL,
    "target" TEXT NOT NULL,
    "receiver" TEXT NOT NULL,
    "tells" TEXT NOT NULL,
    "jobIds" TEXT,
    "quietMinutes" INTEGER NOT NULL,
    "sealed" TEXT,
    "createdAt" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX "NotificationChannel_name_key" ON "NotificationChannel"("name");

-- What is to be told, and what became of it.
CREATE TABLE "NotificationDelivery" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "channelId" TEXT NOT NULL,
    "message" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "nextAttemptAt" DATETIME,
    "createdAt" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "deliveredAt" DATETIME,
    "answer" TEXT,
    "failedAt" DATETIME,
    "error" TEXT,
    CONSTRAINT "NotificationDelivery_channelId_fkey" FOREIGN KEY ("channelId") REFERENCES "NotificationChannel" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX "NotificationDelivery_state_nextAttemptAt_idx" ON "NotificationDelivery"("state", "nextAttemptAt");
CREATE INDEX "NotificationDelivery_channelId_createdAt_idx" ON "NotificationDelivery"("channelId", "createdAt");

-- The same failure of the same job, told already: counted until the time is over.
CREATE TABLE "NotificationQuiet" (
    "channelId" TEXT NOT NULL,
    "jobId" TEXT NOT NULL,
    "failure" TEXT NOT NULL,
    "until" DATETIME NOT NULL,
    "untold" INTEGER NOT NULL,
    "lastRunId" TEXT NOT NULL,

    PRIMARY KEY ("channelId", "jobId", "failure"),
    CONSTRAINT "NotificationQuiet_channelId_fkey" FOREIGN KEY ("channelId") REFERENCES "NotificationChannel" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- Runs whose end nobody was told of yet.
CREATE TABLE "EndedRun" (
    "runId" TEXT NOT NULL PRIMARY KEY,
    CONSTRAINT "EndedRun_runId_fkey" FOREIGN KEY ("runId") REFERENCES "Run" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);
