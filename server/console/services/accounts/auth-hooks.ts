/**
 * What happens around the accounts library's own endpoints: who guesses has to wait, and the audit log is told. An
 * attempt counts as wrong before it is looked at (`lock-out.ts`), and is taken back when it was not.
 */
import { APIError, createAuthMiddleware, getSessionFromCtx } from "better-auth/api";
import type { AuditAction } from "@/server/core/access/audit";
import { passwordSchema } from "@/server/core/contracts/accounts";
import { roleSchema } from "@/server/core/contracts/role";
import type { Audit, Outcome } from "../audit/audit";
import { TakenCodes } from "./code-replay";
import type { Attempt, LockOut, Trying } from "./lock-out";
import { CALLBACK, METHOD, type SingleSignOn } from "./single-sign-on/single-sign-on";

/** The client's, written by the HTTP server over whatever the client sent. */
export const CLIENT_ADDRESS = "x-stillframe-client-address";
/** The code of a refusal because of too many wrong attempts; `retryAfterSeconds` says how long. */
const LOCKED_OUT = "LOCKED_OUT";
/** The code of a refusal because people come by the provider alone. */
const LOCAL_SIGN_IN_OFF = "LOCAL_SIGN_IN_OFF";

type Hooked = Parameters<Parameters<typeof createAuthMiddleware>[0]>[0];
type Person = { email: string; role?: unknown };
type Meaning = { action: AuditAction | null; method?: string };

/** Endpoints at which a password or a code is tried. */
const signIns: Record<string, string> = {
  "/sign-in/email": "password",
  "/two-factor/verify-totp": "code",
  "/two-factor/verify-backup-code": "backup code",
};
const confirmed: Record<string, AuditAction | null> = {
  "/change-password": "account.changePassword",
  "/two-factor/enable": null,
  "/two-factor/disable": "account.disableSecondFactor",
  "/two-factor/generate-backup-codes": "account.newBackupCodes",
};
/** What somebody does who is signed in. */
const own = new Set([
  ...["/change-password", "/two-factor/enable", "/two-factor/disable", "/two-factor/generate-backup-codes"],
  ...["/passkey/generate-register-options", "/passkey/verify-registration"],
]);
/** Where the password is asked for: who has none must have signed in just now. */
const FRESH_MS = 10 * 60_000;
const VERIFY_CODE = "/two-factor/verify-totp";
const WRONG = new Set(["INVALID_EMAIL_OR_PASSWORD", "INVALID_PASSWORD", "INVALID_CODE", "INVALID_BACKUP_CODE"]);

/** The library itself looks at a new password's length alone. */
function demandGoodPassword(body: unknown): void {
  const password = passwordSchema.safeParse((body as { newPassword?: unknown } | undefined)?.newPassword);
  if (!password.success)
    throw new APIError("BAD_REQUEST", { message: `The new password ${password.error.issues[0]?.message}.` });
}

export function authHooks(audit: Audit, lockOut: LockOut, singleSignOn: SingleSignOn) {
  const under = new WeakMap<Request, { trying: Trying; attempt: Attempt; person: Person }>();
  const codes = new TakenCodes();

  const record = (context: Hooked, person: Person, action: AuditAction, input: unknown, outcome: Outcome) => {
    const role = roleSchema.safeParse(person.role).data ?? null;
    return audit.record({ by: person.email, role, address: addressOf(context) }, action, input, outcome);
  };

  const before = createAuthMiddleware(async (context) => {
    const { path, request } = context;
    if (request && own.has(path)) await demandFreshness(context);
    if (path === "/change-password") demandGoodPassword(context.body);
    if ((context.body as { trustDevice?: unknown } | undefined)?.trustDevice) {
      throw new APIError("BAD_REQUEST", { message: "A browser is not remembered: each sign-in asks for the code." });
    }
    if (path === "/passkey/verify-authentication" && !(await singleSignOn.allowsLocal(null))) throw localIsOff();
    if (!request || (!Object.hasOwn(signIns, path) && !Object.hasOwn(confirmed, path))) return;
    const person = await whoTries(context);
    if (person && path === "/sign-in/email" && !(await singleSignOn.allowsLocal(person.email))) throw localIsOff();
    if (!person) return;
    // Enrolling: the code proves nothing but that the app was set up.
    const enrolling = path.startsWith("/two-factor/verify") && (await getSessionFromCtx(context)) !== null;
    if (!enrolling) {
      const trying = { account: person.email, address: addressOf(context) ?? "unknown" };
      const attempt = await lockOut.begin(trying);
      if (attempt.waitMs > 0) throw tooMany(attempt.waitMs);
      under.set(request, { trying, attempt, person });
    }
    if (path !== VERIFY_CODE || (await codes.take(context, person.email))) return;
    const used: Outcome = { outcome: "refused", message: "a code that was used already" };
    if (!enrolling) await record(context, person, "account.signIn", { method: "code" }, used);
    throw new APIError("UNAUTHORIZED", { code: "INVALID_CODE", message: "This code was used already." });
  });

  const after = createAuthMiddleware(async (context) => {
    const { returned } = context.context;
    // A redirect is thrown too.
    const failed = returned instanceof APIError && returned.statusCode >= 400 ? returned : null;
    const begun = context.request && under.get(context.request);
    if (failed) await codes.giveBack(context);
    const meaning = meaningOf(context);
    const done: Outcome = { outcome: "done", message: null };
    if (begun && failed && WRONG.has(String(failed.body?.code))) {
      const input = meaning.method ? { method: meaning.method } : null;
      const outcome: Outcome = { outcome: "refused", message: wrongWords(meaning.method) };
      if (meaning.action) await record(context, begun.person, meaning.action, input, outcome);
      if (begun.attempt.locks) {
        const locked: Outcome = { outcome: "refused", message: begun.attempt.locks };
        await record(context, begun.person, "account.lockOut", null, locked);
      }
      return;
    }
    const pending = context.path === "/sign-in/email" && context.context.newSession?.user.twoFactorEnabled === true;
    if (begun) await (failed || pending ? lockOut.takeBack(begun.trying) : lockOut.succeed(begun.trying));
    if (failed || pending || !meaning.action) return;
    const session = context.context.newSession ?? context.context.session;
    const person = begun?.person ?? (session?.user as Person | undefined);
    if (!person) return;
    const role = (session?.user as Person | undefined)?.role ?? person.role;
    await record(
      context,
      { ...person, role },
      meaning.action,
      meaning.method ? { method: meaning.method } : null,
      done,
    );
  });

  function meaningOf(context: Hooked): Meaning {
    const { path } = context;
    if (path === VERIFY_CODE && context.request && !under.has(context.request)) {
      return { action: context.context.newSession ? "account.enableSecondFactor" : null };
    }
    const method = signIns[path];
    if (method) return { action: "account.signIn", method };
    if (path === "/passkey/verify-authentication") return { action: "account.signIn", method: "passkey" };
    if (path === CALLBACK && context.context.newSession) return { action: "account.signIn", method: METHOD };
    if (path === "/passkey/verify-registration") return { action: "account.addPasskey" };
    return { action: confirmed[path] ?? null };
  }

  return { before, after };
}

/** A sign-in by the provider has an end that the library does not know, and often no password to prove oneself by. */
async function demandFreshness(context: Hooked): Promise<void> {
  const found = await getSessionFromCtx(context);
  if (!found) return;
  if (hasEnded(found.session)) {
    throw new APIError("UNAUTHORIZED", { code: "SIGN_IN_AGAIN", message: "This sign-in has ended. Sign in again." });
  }
  if (!context.path.startsWith("/two-factor/")) return;
  const fresh = Date.now() - new Date(found.session.createdAt).getTime() < FRESH_MS;
  if (fresh || (await context.context.internalAdapter.findCredentialAccount(found.user.id))?.password) return;
  const message = "You have no password here. Sign in again, then do this within ten minutes.";
  throw new APIError("FORBIDDEN", { code: "SIGN_IN_AGAIN", message });
}

/** Of a session as the library reads it. */
export function hasEnded(session: object): boolean {
  return "endsAt" in session && session.endsAt instanceof Date && session.endsAt.getTime() <= Date.now();
}

const addressOf = (context: Hooked): string | null => context.headers?.get(CLIENT_ADDRESS) ?? null;

/** Whose password or code is tried; null when nobody can be told. */
async function whoTries(context: Hooked): Promise<Person | null> {
  if (context.path === "/sign-in/email") {
    const { email } = (context.body ?? {}) as { email?: unknown };
    return typeof email === "string" ? { email: email.toLowerCase().slice(0, 254) } : null;
  }
  const session = await getSessionFromCtx(context);
  if (session) return session.user;
  const { name } = context.context.createAuthCookie("two_factor");
  const pending = await context.getSignedCookie(name, context.context.secret);
  const found = pending ? await context.context.internalAdapter.findVerificationValue(pending) : null;
  return found ? context.context.internalAdapter.findUserById(found.value) : null;
}

function wrongWords(method: string | undefined): string {
  if (method === "password") return "wrong e-mail or password";
  return method ? `wrong ${method}` : "wrong password";
}

function localIsOff(): APIError {
  const message = "Here people sign in by single sign-on alone. Somebody locked out takes a one-time link.";
  return new APIError("FORBIDDEN", { code: LOCAL_SIGN_IN_OFF, message });
}

function tooMany(waitMs: number): APIError {
  const retryAfterSeconds = Math.ceil(waitMs / 1000);
  return new APIError(
    "TOO_MANY_REQUESTS",
    { code: LOCKED_OUT, message: "Too many wrong attempts.", retryAfterSeconds },
    { "retry-after": String(retryAfterSeconds) },
  );
}
