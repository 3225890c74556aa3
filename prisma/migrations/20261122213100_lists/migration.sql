-- A job that is paused is not started.
ALTER TABLE "Job" ADD COLUMN "pausedAt" DATETIME;

-- What lists of runs are searched and ordered by, computed from the run's picture, so that it can never differ from it.
ALTER TABLE "Run" ADD COLUMN "jobName" TEXT GENERATED ALWAYS AS (json_extract("state", '$.job.name')) VIRTUAL;
ALTER TABLE "Run" ADD COLUMN "result" TEXT GENERATED ALWAYS AS (json_extract("state", '$.state')) VIRTUAL;
ALTER TABLE "Run" ADD COLUMN "code" TEXT GENERATED ALWAYS AS (json_extract("state", '$.code')) VIRTUAL;
ALTER TABLE "Run" ADD COLUMN "tookMs" INTEGER GENERATED ALWAYS AS (
    CAST(ROUND((julianday(json_extract("state", '$.endedAt')) - julianday(json_extract("state", '$.startedAt'))) * 86400000) AS INTEGER)
) VIRTUAL;
CREATE INDEX "Run_jobName_idx" ON "Run"("jobName");
CREATE INDEX "Run_result_idx" ON "Run"("result");
CREATE INDEX "Run_tookMs_idx" ON "Run"("tookMs");
