/** Pages of a list, and the search in it. */
import { z } from "zod";

const PAGE_SIZE = 50;

const count = z.number().int().nonnegative();

/** `total` match; `all` are there without the search and its filters. `page` counts from 1 and is one that exists. */
export const pageOf = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), page: count, pages: count, first: count, total: count, all: count });
export type Page<T> = { items: T[]; page: number; pages: number; first: number; total: number; all: number };

/** Where a page begins; beyond the end it is the last one. */
export function pageAt(total: number, wanted: number) {
  const pages = Math.max(1, Math.ceil(total / PAGE_SIZE));
  const page = Math.min(wanted, pages);
  return { page, pages, skip: (page - 1) * PAGE_SIZE, take: PAGE_SIZE };
}

export function cutPage<T>(found: readonly T[], wanted: number, all: number): Page<T> {
  const { page, pages, skip, take } = pageAt(found.length, wanted);
  const items = found.slice(skip, skip + take);
  return { items, page, pages, first: items.length === 0 ? 0 : skip + 1, total: found.length, all };
}

/** Whether every word of the text is somewhere in the fields, in any case of letters. */
export function containsWords(text: string, fields: readonly (string | null)[]): boolean {
  const content = fields.join("\n").toLowerCase();
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => content.includes(word));
}
