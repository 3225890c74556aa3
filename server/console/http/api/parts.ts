/** Lists are given in parts. */
import { z } from "zod";

export const limit = (most: number) =>
  z.coerce.number().int().min(1).max(most).default(50).describe("How many at most in one answer.");

/** Path of the next part. */
export function onward(path: string, query: Record<string, string | number | undefined>): string {
  const given = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
  return `/api/v1${path}?${new URLSearchParams(given)}`;
}
