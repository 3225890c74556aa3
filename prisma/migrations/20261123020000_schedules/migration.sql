-- When a job starts by itself, and the next time that it does.
ALTER TABLE "Job" ADD COLUMN "schedule" TEXT;
ALTER TABLE "Job" ADD COLUMN "nextRunAt" DATETIME;

-- The time of the schedule that a run stands for: one run for each, however often the console looks.
ALTER TABLE "Run" ADD COLUMN "dueAt" DATETIME;
CREATE UNIQUE INDEX "Run_jobId_dueAt_key" ON "Run"("jobId", "dueAt");

-- For schedules in the host's own zone.
ALTER TABLE "Host" ADD COLUMN "timeZone" TEXT;
