/** An instant in a sentence that leaves the browser too, where nobody knows the reader's zone. */

/** `2026-11-22T17:04:11.819Z` → `2026-11-22 17:04:11 UTC`; what is not an instant stays as it is. */
export function formatInstant(iso: string): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  return `${at.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}
