-- Everybody who had an account until now was the administrator.
ALTER TABLE "User" ADD COLUMN "role" TEXT NOT NULL DEFAULT 'viewer';
UPDATE "User" SET "role" = 'administrator';

-- A link is the first administrator's, or an invitation with the address that it is for.
ALTER TABLE "SignInLink" ADD COLUMN "role" TEXT NOT NULL DEFAULT 'administrator';
ALTER TABLE "SignInLink" ADD COLUMN "email" TEXT;
ALTER TABLE "SignInLink" ADD COLUMN "invitedBy" TEXT;
ALTER TABLE "SignInLink" ADD COLUMN "expiresAt" DATETIME;
