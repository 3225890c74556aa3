/**
 * The two stations of a sign-in by the provider, `GET /api/auth/single-sign-on/begin` and `…/callback`, and the sign-out
 * of everybody, `POST …/leave`, as a plugin of the accounts library, which sets the cookies and limits requests. The
 * stations answer with a redirect. A sign-in is bound
 * to the browser that began it by a signed cookie, and to one use by a row that its return removes.
 */
import type { BetterAuthPlugin, GenericEndpointContext } from "better-auth";
import { createAuthEndpoint, getSessionFromCtx } from "better-auth/api";
import { deleteSessionCookie, setSessionCookie } from "better-auth/cookies";
import { generateRandomString } from "better-auth/crypto";
import type { Session, User } from "better-auth/types";
import { z } from "zod";
import type { SignInProblem } from "@/server/core/access/single-sign-on";
import { targetOf } from "@/server/core/access/target";
import { CLIENT_ADDRESS } from "../auth-hooks";
import { CALLBACK, type SessionMark, type SingleSignOn } from "./single-sign-on";

const TEN_MINUTES_SECONDS = 600;
const COOKIE = "single_sign_on";
type Marked = Session & { providerToken?: string | null };
const rowOf = (state: string) => `single-sign-on-${state}`;

export function singleSignOnEndpoints(singleSignOn: SingleSignOn) {
  const begin = createAuthEndpoint("/single-sign-on/begin", { method: "GET" }, async (context) => {
    const { next, anew } = (context.query ?? {}) as { next?: unknown; anew?: unknown };
    const target = targetOf(typeof next === "string" ? next : null);
    const begun = await singleSignOn.begin(target, anew === "1");
    if (!begun.ok) throw back(context, begun.problem);
    const { internalAdapter, secret, createAuthCookie } = context.context;
    const { name, attributes } = createAuthCookie(COOKIE, { maxAge: TEN_MINUTES_SECONDS });
    const expiresAt = new Date(Date.now() + TEN_MINUTES_SECONDS * 1000);
    await internalAdapter.createVerificationValue({ identifier: rowOf(begun.state), value: begun.sealed, expiresAt });
    await context.setSignedCookie(name, begun.state, secret, attributes);
    throw context.redirect(begun.url.href);
  });

  const callback = createAuthEndpoint(CALLBACK, { method: "GET" }, async (context) => {
    const { internalAdapter, secret, createAuthCookie } = context.context;
    const { name, attributes } = createAuthCookie(COOKIE);
    const query = new URL(context.request?.url ?? "", "http://console.invalid").searchParams;
    const state = query.get("state");
    const begun = await context.getSignedCookie(name, secret);
    if (!state || begun !== state) throw back(context, "stale");
    context.setCookie(name, "", { ...attributes, maxAge: 0 });
    const row = await internalAdapter.consumeVerificationValue(rowOf(state));
    if (!row) throw back(context, "stale");
    const arrived = await singleSignOn.arrive(query, row.value, context.headers?.get(CLIENT_ADDRESS) ?? null);
    if (!arrived.ok) throw back(context, arrived.problem);
    const { userId, target, asksForCode, mark } = arrived;
    const user = await internalAdapter.findUserById(userId);
    if (!user) throw back(context, "stale");
    if (asksForCode && (user as User & { twoFactorEnabled?: boolean }).twoFactorEnabled) {
      await leaveForCode(context, userId, mark);
      throw context.redirect(`/sign-in/code?next=${encodeURIComponent(target)}`);
    }
    const session = await internalAdapter.createSession(userId, false, mark);
    await setSessionCookie(context, { session, user });
    throw context.redirect(target);
  });

  const leave = createAuthEndpoint("/single-sign-on/leave", { method: "POST" }, async (context) => {
    const session = (await getSessionFromCtx(context))?.session as Marked | undefined;
    if (session) await context.context.internalAdapter.deleteSession(session.token);
    deleteSessionCookie(context);
    return context.json({ url: session?.providerToken ? await singleSignOn.signOut(session.providerToken) : null });
  });

  return { id: "single-sign-on", endpoints: { begin, callback, leave } } satisfies BetterAuthPlugin;
}

const back = (context: GenericEndpointContext, problem: SignInProblem) =>
  context.redirect(`/sign-in?problem=${problem}`);

/** Half a sign-in, as the library's second factor leaves it after a right password. */
async function leaveForCode(context: GenericEndpointContext, userId: string, mark: SessionMark): Promise<void> {
  const { internalAdapter, secret, createAuthCookie } = context.context;
  const { name, attributes } = createAuthCookie("two_factor", { maxAge: TEN_MINUTES_SECONDS });
  const identifier = `2fa-${generateRandomString(20)}`;
  const expiresAt = new Date(Date.now() + TEN_MINUTES_SECONDS * 1000);
  await internalAdapter.createVerificationValue({ identifier, value: userId, expiresAt });
  await internalAdapter.createVerificationValue({ identifier: `2fa-attempts-${identifier}`, value: "0", expiresAt });
  await internalAdapter.createVerificationValue({
    identifier: markOf(identifier),
    value: JSON.stringify(mark),
    expiresAt,
  });
  await context.setSignedCookie(name, identifier, secret, attributes);
}

const markOf = (pending: string) => `single-sign-on-mark-${pending}`;
const markSchema = z.object({ endsAt: z.coerce.date(), providerToken: z.string() });

/** Of a session that is made now, after a code that was asked for besides the provider; null: it was not by the provider. */
export async function markAfterCode(context: GenericEndpointContext): Promise<SessionMark | null> {
  if (!context.path?.startsWith("/two-factor/verify-")) return null;
  const { internalAdapter, secret, createAuthCookie } = context.context;
  const pending = await context.getSignedCookie(createAuthCookie("two_factor").name, secret);
  const row = pending ? await internalAdapter.consumeVerificationValue(markOf(pending)) : null;
  return row && markSchema.parse(JSON.parse(row.value));
}
