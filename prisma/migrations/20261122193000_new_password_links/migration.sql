-- A link may also let somebody with an account choose a new password.
ALTER TABLE "SignInLink" ADD COLUMN "forPassword" BOOLEAN NOT NULL DEFAULT false;
