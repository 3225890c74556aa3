/** The message of a list's error, or of its first wrong entry. */
export function firstMessage(error: unknown): string | null {
  if (!error || typeof error !== "object") return null;
  if ("message" in error && typeof error.message === "string") return error.message;
  return Object.values(error).map(firstMessage).find(Boolean) ?? null;
}
