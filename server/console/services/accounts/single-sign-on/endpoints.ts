/**
 * The two stations of a sign-in by the provider, `GET /api/auth/single-sign-on/begin` and `…/callback`, as a plugin of
 * the accounts library, which sets the cookies and limits requests. Both answer with a redirect. A sign-in is bound
 * to the browser that began it by a signed cookie, and to one use by a row that its return removes.
 */
import type { BetterAuthPlugin, GenericEndpointContext } from "better-auth";
import { createAuthEndpoint } from "better-auth/api";
import { setSessionCookie } from "better-auth/cookies";
import { generateRandomString } from "better-auth/crypto";
import type { User } from "better-auth/types";
import type { SignInProblem } from "@/server/core/access/single-sign-on";
import { targetOf } from "@/server/core/access/target";
import { CLIENT_ADDRESS } from "../auth-hooks";
import { CALLBACK, type SingleSignOn } from "./single-sign-on";

const TEN_MINUTES_SECONDS = 600;
const COOKIE = "single_sign_on";
const rowOf = (state: string) => `single-sign-on-${state}`;

export function singleSignOnEndpoints(singleSignOn: SingleSignOn) {
  const begin = createAuthEndpoint("/single-sign-on/begin", { method: "GET" }, async (context) => {
    const { next } = (context.query ?? {}) as { next?: unknown };
    const target = targetOf(typeof next === "string" ? next : null);
    const begun = await singleSignOn.begin(target);
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
    const { userId, target, asksForCode } = arrived;
    const user = await internalAdapter.findUserById(userId);
    if (!user) throw back(context, "stale");
    if (asksForCode && (user as User & { twoFactorEnabled?: boolean }).twoFactorEnabled) {
      await leaveForCode(context, userId);
      throw context.redirect(`/sign-in/code?next=${encodeURIComponent(target)}`);
    }
    const session = await internalAdapter.createSession(userId);
    await setSessionCookie(context, { session, user });
    throw context.redirect(target);
  });

  return { id: "single-sign-on", endpoints: { begin, callback } } satisfies BetterAuthPlugin;
}

const back = (context: GenericEndpointContext, problem: SignInProblem) =>
  context.redirect(`/sign-in?problem=${problem}`);

/** Half a sign-in, as the library's second factor leaves it after a right password. */
async function leaveForCode(context: GenericEndpointContext, userId: string): Promise<void> {
  const { internalAdapter, secret, createAuthCookie } = context.context;
  const { name, attributes } = createAuthCookie("two_factor", { maxAge: TEN_MINUTES_SECONDS });
  const identifier = `2fa-${generateRandomString(20)}`;
  const expiresAt = new Date(Date.now() + TEN_MINUTES_SECONDS * 1000);
  await internalAdapter.createVerificationValue({ identifier, value: userId, expiresAt });
  await internalAdapter.createVerificationValue({ identifier: `2fa-attempts-${identifier}`, value: "0", expiresAt });
  await context.setSignedCookie(name, identifier, secret, attributes);
}
