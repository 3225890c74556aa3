/** Calls of the accounts library's endpoints, which set cookies: by plain requests and not by tRPC. */

/** `code`: what the library calls the refusal; null where it has no name or the console did not answer. */
export type AuthAnswer<T> = { ok: true; data: T } | { ok: false; code: string | null; message: string };

const UNREACHABLE = "The console does not answer. Check that it is running, then try again.";

/** `path`: below `/api/auth/`. Without a body it is a GET. */
export async function authRequest<T>(path: string, body?: object): Promise<AuthAnswer<T>> {
  let response: Response;
  try {
    response = await fetch(`/api/auth/${path}`, {
      ...(body && { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
    });
  } catch {
    return { ok: false, code: null, message: UNREACHABLE };
  }
  const data = await response.json().catch(() => null);
  if (response.ok) return { ok: true, data };
  const code = typeof data?.code === "string" ? data.code : null;
  return { ok: false, code, message: refusal(response, data) };
}

function refusal(response: Response, data: { message?: unknown; retryAfterSeconds?: unknown } | null): string {
  if (response.status === 429) {
    const seconds = Number(data?.retryAfterSeconds ?? response.headers.get("x-retry-after")) || 60;
    return `Too many attempts. Try again in ${seconds <= 90 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`}.`;
  }
  if (response.status >= 500) return "The console failed. Its log has the details.";
  return typeof data?.message === "string" ? data.message : `The console refused it (${response.status}).`;
}
