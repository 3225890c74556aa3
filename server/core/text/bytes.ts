/** Sizes as people read and write them: IEC units, powers of 1024. */

const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** `1536` → `1.5 KiB`. Three significant figures at most, no decimals for bytes. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  if (unit === 0) return `${value} B`;
  // 1023.99 MiB would round to "1024 MiB": step to the next unit instead.
  if (Math.round(value) >= 1024 && unit < units.length - 1) return `1.0 ${units[unit + 1]}`;
  return `${value < 100 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

export type ParsedSize = { ok: true; bytes: number } | { ok: false; reason: string };

const factors: Record<string, number> = { "": 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4, P: 1024 ** 5 };

/** Reads `512M`, `512MiB`, `1.5 G`, `4096`: every unit is a power of 1024. `MB` is refused because it is ambiguous. */
export function parseSize(text: string): ParsedSize {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([KMGTP]?)(iB|B)?\s*$/i.exec(text);
  if (!match) return { ok: false, reason: `"${text}" is not a size: write a number and a unit, such as 512M or 2GiB` };
  const [, digits = "", letter = "", suffix = ""] = match;
  const prefix = letter.toUpperCase();
  if (prefix !== "" && suffix.toUpperCase() === "B") {
    return {
      ok: false,
      reason: `"${text}" is ambiguous: write ${digits}${prefix}iB (1${prefix}iB is a power of 1024 bytes)`,
    };
  }
  if (prefix === "" && suffix.toUpperCase() === "IB") return { ok: false, reason: `"${text}" has no unit before iB` };
  const bytes = Number(digits) * (factors[prefix] ?? 1);
  if (!Number.isSafeInteger(Math.round(bytes))) return { ok: false, reason: `"${text}" is too large` };
  if (!Number.isInteger(bytes)) return { ok: false, reason: `"${text}" is not a whole number of bytes` };
  return { ok: true, bytes };
}
