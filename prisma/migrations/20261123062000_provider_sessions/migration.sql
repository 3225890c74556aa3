-- A sign-in by the company's provider ends with the day, and can be ended at the provider too.
ALTER TABLE "Session" ADD COLUMN "endsAt" DATETIME;
ALTER TABLE "Session" ADD COLUMN "providerToken" TEXT;
