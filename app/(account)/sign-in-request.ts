/** Signs this browser in. Answers null, or what to tell the person. */
export async function signIn(email: string, password: string): Promise<string | null> {
  let response: Response;
  try {
    response = await fetch("/api/auth/sign-in/email", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ email, password }),
    });
  } catch {
    return "The console does not answer. Check that it is running, then try again.";
  }
  if (response.ok) return null;
  if (response.status === 429) return "Too many attempts. Wait a minute, then try again.";
  if (response.status >= 500) return "The console failed. Its log has the details.";
  return "This e-mail address and password do not belong together.";
}
