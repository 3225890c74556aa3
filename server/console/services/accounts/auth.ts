/**
 * Sign-in by password, with a code where the account has a second factor, by a passkey, or by a company's provider
 * (`single-sign-on/`). Sign-up is closed: people
 * come by a one-time link (`accounts.ts`). Requests are limited by client address, which the HTTP server writes into
 * CLIENT_ADDRESS; wrong passwords and codes are counted besides (`auth-hooks.ts`).
 */
import { passkey } from "@better-auth/passkey";
import { betterAuth } from "better-auth";
import { APIError } from "better-auth/api";
import { twoFactor } from "better-auth/plugins/two-factor";
import type { Logger } from "pino";
import { PASSWORD_LENGTH } from "@/server/core/contracts/accounts";
import { accountTables } from "../../data/accounts";
import type { Database } from "../../data/database";
import type { Vault } from "../secrets/vault";
import type { Services } from "../services";
import { authHooks, CLIENT_ADDRESS } from "./auth-hooks";
import { sealedBackupCodes } from "./second-factors";
import { markAfterCode, singleSignOnEndpoints } from "./single-sign-on/endpoints";

const WEEK_SECONDS = 7 * 24 * 3600;
const DAY_SECONDS = 24 * 3600;
const APP_NAME = "Stillframe";

const BELOW = "/api/auth";
/** The endpoints that the pages use. The library has more; those answer 404. */
const ENDPOINTS = new Set([
  "/sign-in/email",
  "/change-password",
  "/two-factor/enable",
  "/two-factor/disable",
  "/two-factor/verify-totp",
  "/two-factor/verify-backup-code",
  "/two-factor/generate-backup-codes",
  "/passkey/generate-register-options",
  "/passkey/verify-registration",
  "/passkey/generate-authenticate-options",
  "/passkey/verify-authentication",
  "/single-sign-on/begin",
  "/single-sign-on/callback",
  "/single-sign-on/leave",
]);

export function isAuthEndpoint(path: string): boolean {
  return path.startsWith(BELOW) && ENDPOINTS.has(path.slice(BELOW.length));
}

export type AuthOptions = {
  /** Where browsers reach the console, if not by the Host header they send. */
  publicUrl: string | null;
  /** Browsers send cookies by TLS alone. */
  secureCookies: boolean;
  /** The host name for which browsers keep passkeys. */
  passkeyHost: string;
};

export function makeAuth(db: Database, vault: Vault, log: Logger, services: Services, options: AuthOptions) {
  const { publicUrl, secureCookies, passkeyHost } = options;
  return betterAuth({
    appName: APP_NAME,
    ...(publicUrl === null ? {} : { baseURL: publicUrl }),
    secret: vault.derive("sessions"),
    database: accountTables(db),
    telemetry: { enabled: false },
    emailAndPassword: {
      enabled: true,
      disableSignUp: true,
      minPasswordLength: PASSWORD_LENGTH.min,
      maxPasswordLength: PASSWORD_LENGTH.max,
    },
    user: { additionalFields: { role: { type: "string", input: false, defaultValue: "viewer" } } },
    plugins: [
      twoFactor({
        issuer: APP_NAME,
        backupCodeOptions: { storeBackupCodes: sealedBackupCodes(vault) },
        // Wrong codes are counted with wrong passwords.
        accountLockout: { enabled: false },
        // Who has no password shows by a fresh sign-in who they are (`auth-hooks.ts`).
        allowPasswordless: true,
      }),
      passkey({
        rpID: passkeyHost,
        rpName: APP_NAME,
        // It stands for password and code together: having the device is not enough.
        authenticatorSelection: { residentKey: "required", userVerification: "required" },
        registration: { afterVerification: async ({ verification }) => demandVerified(verification.registrationInfo) },
        authentication: {
          afterVerification: async ({ verification }) => demandVerified(verification.authenticationInfo),
        },
      }),
      singleSignOnEndpoints(services.singleSignOn),
    ],
    hooks: authHooks(services.audit, services.lockOut, services.singleSignOn),
    session: {
      expiresIn: WEEK_SECONDS,
      updateAge: DAY_SECONDS,
      // Of sign-ins by the provider.
      additionalFields: {
        endsAt: { type: "date", required: false, input: false },
        providerToken: { type: "string", required: false, input: false },
      },
    },
    databaseHooks: {
      session: {
        create: {
          before: async (session, context) => {
            const mark = context && (await markAfterCode(context));
            return mark ? { data: { ...session, ...mark } } : undefined;
          },
        },
      },
    },
    rateLimit: {
      enabled: true,
      window: 60,
      max: 200,
      storage: "database",
      customRules: {
        "/sign-in/email": { window: 60, max: 40 },
        "/change-password": { window: 60, max: 20 },
        "/two-factor/*": { window: 60, max: 40 },
        "/passkey/*": { window: 60, max: 60 },
        "/single-sign-on/*": { window: 60, max: 60 },
      },
    },
    advanced: {
      cookiePrefix: "stillframe",
      useSecureCookies: secureCookies,
      defaultCookieAttributes: { httpOnly: true, sameSite: "lax" },
      ipAddress: { ipAddressHeaders: [CLIENT_ADDRESS] },
    },
    // A refusal is an answer; the library would print it besides.
    onAPIError: {
      onError: (error) => {
        if (!(error instanceof APIError) || error.statusCode >= 500)
          log.error({ part: "accounts", err: error }, "failed");
      },
    },
    logger: {
      level: "warn",
      // Without a public address the origin comes from each request's Host header, on purpose.
      log: (level, message) => !message.includes("Base URL is not set") && log[level]({ part: "accounts" }, message),
    },
  });
}

/** The device has asked its user for a fingerprint, a face or a PIN. */
function demandVerified(info: { userVerified: boolean } | undefined): void {
  if (info?.userVerified) return;
  const message = "The device did not check who uses it: set a PIN or a fingerprint on it.";
  throw new APIError("UNAUTHORIZED", { code: "NOT_VERIFIED", message });
}

export type Auth = ReturnType<typeof makeAuth>;
