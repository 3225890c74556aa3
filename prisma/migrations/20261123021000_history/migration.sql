-- Volumes whose writes were measured, and what was measured, in three steps (server/core/history/rollup.ts).
CREATE TABLE "MeasuredVolume" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "hostId" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "zone" TEXT NOT NULL,
    CONSTRAINT "MeasuredVolume_hostId_fkey" FOREIGN KEY ("hostId") REFERENCES "Host" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE UNIQUE INDEX "MeasuredVolume_hostId_name_key" ON "MeasuredVolume"("hostId", "name");

-- By its key alone: rows of one volume and step lie together in the order of time.
CREATE TABLE "ActivityRollup" (
    "volumeId" INTEGER NOT NULL,
    "stepMs" INTEGER NOT NULL,
    "atMs" BIGINT NOT NULL,
    "fromMs" BIGINT NOT NULL,
    "toMs" BIGINT NOT NULL,
    "measuredMs" BIGINT NOT NULL,
    "writes" BIGINT NOT NULL,
    "writeBytes" BIGINT NOT NULL,
    "frozenWriteBytes" BIGINT NOT NULL,
    "preservedBytes" BIGINT NOT NULL,
    "skippedFreeBytes" BIGINT NOT NULL,
    "quietHeadMs" BIGINT NOT NULL,
    "quietTailMs" BIGINT NOT NULL,
    "quietLongestMs" BIGINT NOT NULL,
    "quietLongestFromMs" BIGINT NOT NULL,
    "gaps" TEXT NOT NULL,
    "rates" TEXT NOT NULL,
    PRIMARY KEY ("volumeId", "stepMs", "atMs"),
    CONSTRAINT "ActivityRollup_volumeId_fkey" FOREIGN KEY ("volumeId") REFERENCES "MeasuredVolume" ("id") ON DELETE CASCADE ON UPDATE CASCADE
) WITHOUT ROWID;
