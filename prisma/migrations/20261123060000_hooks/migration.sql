-- Programs that a job runs around its snapshot.
ALTER TABLE "Job" ADD COLUMN "hooks" TEXT;
