/** Where a sign-in leads. Only places of this console: `//host` and `https:` would lead elsewhere. */
export function targetOf(next: string | undefined): string {
  return next && /^\/(?![/\\])/.test(next) ? next : "/";
}
