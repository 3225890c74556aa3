import { authRequest } from "../auth-request";

/** `code`: the password was right, and a code is asked for at `/sign-in/code`. */
export type SignInOutcome = { outcome: "done" } | { outcome: "code" } | { outcome: "refused"; message: string };

/** Signs this browser in. */
export async function signIn(email: string, password: string): Promise<SignInOutcome> {
  const answer = await authRequest<{ twoFactorRedirect?: boolean }>("sign-in/email", { email, password });
  if (answer.ok) return { outcome: answer.data.twoFactorRedirect ? "code" : "done" };
  const wrong = answer.code === "INVALID_EMAIL_OR_PASSWORD";
  const message = wrong ? "This e-mail address and password do not belong together." : answer.message;
  return { outcome: "refused", message };
}

/** Where to go after a sign-in that succeeded as far as it went; `target`: a place of this console. */
export function afterSignIn(outcome: "done" | "code", target: string): string {
  if (outcome === "done") return target;
  return target === "/" ? "/sign-in/code" : `/sign-in/code?next=${encodeURIComponent(target)}`;
}
