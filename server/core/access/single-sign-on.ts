/** Whom a provider's word lets in, and as what; and what somebody is told who is not let in. */
import type { SingleSignOnSettings } from "../contracts/single-sign-on";
import { type Role, roles } from "./permissions";

/** The reasons for which a sign-in by the provider ends; the sign-in page is given the key. */
export const signInProblems = {
  off: "Single sign-on is switched off here.",
  unreachable: "The sign-in provider does not answer. Try again in a moment, or sign in another way.",
  declined: "The sign-in provider did not let you in.",
  stale:
    "This sign-in was not begun in this browser, took longer than ten minutes, or was finished already. Begin again.",
  clock:
    "The provider's answer is from another time: its clock and this console's differ. An administrator has to set them right.",
  untrusted:
    "The provider's answer did not pass the checks, so nobody was signed in. The console's log says which one.",
  client:
    "The provider does not know this console, or not by this secret. An administrator has to correct the settings.",
  noEmail: "The provider told no e-mail address. An administrator has to add the scope or claim “email”.",
  unverified: "The provider has not verified your e-mail address, so it lets nobody in here.",
  domain: "Addresses of your domain are not let in here.",
  noRole: "Your account at the provider gives you no role here. Ask an administrator.",
  notLinked:
    "There is an account here with your e-mail address that is not linked to the provider. Sign in as usual, or ask an administrator.",
  otherIdentity:
    "The account here with your e-mail address belongs to another person of the provider. Ask an administrator.",
} as const;
export type SignInProblem = keyof typeof signInProblems;

export function isSignInProblem(text: string | undefined): text is SignInProblem {
  return text !== undefined && Object.hasOwn(signInProblems, text);
}

/**
 * How long a sign-in by the provider lasts, however much it is used: who is removed there is out within a working day.
 * Sign-ins by password or passkey, which end when their user is removed here, last a week.
 */
export const PROVIDER_SESSION_MS = 12 * 3_600_000;

export type Claims = Readonly<Record<string, unknown>>;

/** `role` is null where the provider does not tell roles; `firstRole` is that of somebody new, null for nobody. */
export type Admitted = { ok: true; email: string; name: string; role: Role | null; firstRole: Role | null };
export type Refused = { ok: false; problem: SignInProblem; email: string | null };

/** Judges what the provider says of somebody. Whether it was the provider that said so was checked before. */
export function admit(settings: SingleSignOnSettings, claims: Claims): Admitted | Refused {
  const { email: given } = claims;
  if (typeof given !== "string" || !/^[^\s@]+@[^\s@]+$/.test(given))
    return { ok: false, problem: "noEmail", email: null };
  const email = given.toLowerCase();
  const refused = (problem: SignInProblem): Refused => ({ ok: false, problem, email });
  if (!isVerified(claims.email_verified, settings.assumesVerified)) return refused("unverified");
  const domain = email.slice(email.lastIndexOf("@") + 1);
  if (settings.emailDomains.length > 0 && !settings.emailDomains.includes(domain)) return refused("domain");
  const otherwise = settings.otherwise === "refuse" ? null : settings.otherwise;
  const name = nameIn(claims) ?? email;
  if (settings.roleClaim === null) return { ok: true, email, name, role: null, firstRole: otherwise };
  const role = roleIn(settings, claims) ?? otherwise;
  return role === null ? refused("noRole") : { ok: true, email, name, role, firstRole: role };
}

/** Some providers send the word instead of the value. */
function isVerified(told: unknown, assumed: boolean): boolean {
  return told === undefined ? assumed : told === true || told === "true";
}

/** The highest role that a rule gives; null: none fits. */
function roleIn({ roleClaim, roleRules }: SingleSignOnSettings, claims: Claims): Role | null {
  const values = textsOf(claimAt(claims, roleClaim ?? ""));
  const fitting = roleRules.filter(({ value }) => values.includes(value)).map(({ role }) => role);
  return roles.findLast((role) => fitting.includes(role)) ?? null;
}

/** The claim of this very name, or the one that dots lead to, such as `realm_access.roles`. */
export function claimAt(claims: Claims, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  let found: unknown = claims;
  for (const part of path.split(".")) {
    if (found === null || typeof found !== "object" || !Object.hasOwn(found, part)) return undefined;
    found = (found as Claims)[part];
  }
  return found;
}

function textsOf(claim: unknown): string[] {
  return [claim].flat().filter((value) => typeof value === "string");
}

const LONGEST_NAME = 100;

function nameIn(claims: Claims): string | null {
  const { name, preferred_username: userName } = claims;
  const found = [name, userName].find((text) => typeof text === "string" && text.trim() !== "");
  return typeof found === "string" ? found.trim().slice(0, LONGEST_NAME) : null;
}
