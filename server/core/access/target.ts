/** Where a sign-in leads: only places of this console. `//host`, `https:` and the like would lead elsewhere. */
export function targetOf(next: string | null | undefined): string {
  if (!next?.startsWith("/")) return "/";
  const here = "http://console.invalid";
  // As a browser reads it, which takes a backslash for a slash and leaves tabs out.
  const url = URL.canParse(next, here) ? new URL(next, here) : null;
  return url?.origin === here && !url.pathname.startsWith("//") ? url.pathname + url.search + url.hash : "/";
}
