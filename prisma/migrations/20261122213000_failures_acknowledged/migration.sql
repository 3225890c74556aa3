-- Somebody knows of it: who, since when, and what they noted.
ALTER TABLE "Failure" ADD COLUMN "acknowledgedAt" DATETIME;
ALTER TABLE "Failure" ADD COLUMN "acknowledgedBy" TEXT;
ALTER TABLE "Failure" ADD COLUMN "acknowledgedNote" TEXT;
