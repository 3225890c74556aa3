/** Codes of the four errors that the product inherits, and our own. The table is in `table.ts`. */
export const errorCodes = [
  "a00084af",
  "a000851c",
  "OFO-QUIET",
  "OFO-COMM",
  "SF-101",
  "SF-102",
  "SF-103",
  "SF-104",
  "SF-105",
  "SF-106",
  "SF-107",
] as const;
export type ErrorCode = (typeof errorCodes)[number];

/** A code as people write it: in any case, and with the 0x of the original's messages. */
export function errorCodeOf(written: string): ErrorCode | null {
  const plain = written.trim().toLowerCase().replace(/^0x/, "");
  return errorCodes.find((code) => code.toLowerCase() === plain) ?? null;
}
