/** The first that matches counts: every browser also claims to be those that came before it. */
const browsers = [
  [/Edg\//, "Edge"],
  [/OPR\//, "Opera"],
  [/Firefox\//, "Firefox"],
  [/Chrom(?:e|ium)\//, "Chrome"],
  [/Safari\//, "Safari"],
] as const;
const systems = [
  [/Android/, "Android"],
  [/iPhone|iPad/, "iOS"],
  [/Windows/, "Windows"],
  [/Mac OS X/, "macOS"],
  [/Linux/, "Linux"],
] as const;

/** What a person calls the program with this User-Agent header, e.g. `Firefox on Linux`. */
export function browserName(userAgent: string | null): string {
  const found = (names: readonly (readonly [RegExp, string])[]) => names.find(([test]) => test.test(userAgent ?? ""));
  const browser = found(browsers)?.[1] ?? "A program";
  const system = found(systems)?.[1];
  return system ? `${browser} on ${system}` : browser;
}
