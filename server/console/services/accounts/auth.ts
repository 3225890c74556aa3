/**
 * Sign-in by e-mail and password. Sign-up is closed: people come by a one-time link (`accounts.ts`). The limit on sign-in attempts counts by client address, which the HTTP server writes into
 * CLIENT_ADDRESS on every request, over whatever the client sent.
 */
import { betterAuth } from "better-auth";
import { APIError, createAuthMiddleware } from "better-auth/api";
import type { Logger } from "pino";
import { PASSWORD_LENGTH } from "@/server/core/contracts/accounts";
import { accountTables } from "../../data/accounts";
import type { Database } from "../../data/database";
import type { Audit } from "../audit/audit";

export const CLIENT_ADDRESS = "x-stillframe-client-address";

const WEEK_SECONDS = 7 * 24 * 3600;
const DAY_SECONDS = 24 * 3600;

/** `publicUrl`: where browsers reach the console, if not by the Host header they send. */
export function makeAuth(db: Database, secret: string, publicUrl: string | null, log: Logger, audit: Audit) {
  return betterAuth({
    ...(publicUrl === null ? {} : { baseURL: publicUrl }),
    secret,
    database: accountTables(db),
    telemetry: { enabled: false },
    emailAndPassword: {
      enabled: true,
      disableSignUp: true,
      minPasswordLength: PASSWORD_LENGTH.min,
      maxPasswordLength: PASSWORD_LENGTH.max,
    },
    user: { additionalFields: { role: { type: "string", input: false, defaultValue: "viewer" } } },
    hooks: { after: createAuthMiddleware(async (context) => signInNoted(audit, context)) },
    session: { expiresIn: WEEK_SECONDS, updateAge: DAY_SECONDS },
    rateLimit: {
      enabled: true,
      window: 60,
      max: 200,
      storage: "database",
      customRules: { "/sign-in/email": { window: 60, max: 20 }, "/change-password": { window: 60, max: 20 } },
    },
    advanced: {
      cookiePrefix: "stillframe",
      useSecureCookies: publicUrl?.startsWith("https:") ?? false,
      defaultCookieAttributes: { httpOnly: true, sameSite: "lax" },
      ipAddress: { ipAddressHeaders: [CLIENT_ADDRESS] },
    },
    logger: {
      level: "warn",
      // Without a public address the origin comes from each request's Host header, on purpose.
      log: (level, message) => !message.includes("Base URL is not set") && log[level]({ part: "accounts" }, message),
    },
  });
}

type Answered = {
  path?: string | undefined;
  body?: unknown;
  headers?: Headers | undefined;
  context: { returned?: unknown };
};

async function signInNoted(audit: Audit, { path, body, headers, context }: Answered): Promise<void> {
  if (path !== "/sign-in/email") return;
  const { email } = (body ?? {}) as { email?: unknown };
  const by = typeof email === "string" ? email : "nobody";
  const failed = context.returned instanceof APIError;
  await audit.record({ by, role: null, address: headers?.get(CLIENT_ADDRESS) ?? null }, "account.signIn", null, {
    outcome: failed ? "refused" : "done",
    message: failed ? "wrong e-mail or password" : null,
  });
}

export type Auth = ReturnType<typeof makeAuth>;
