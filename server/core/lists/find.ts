/** What the command palette finds by its words: the best few, so that nobody loads everything to type a name. */
import { z } from "zod";
import { containsWords } from "./paging";

export const MOST_FOUND = 9;

export const foundSchema = z.object({
  jobs: z.array(z.object({ id: z.string(), name: z.string() })),
  volumes: z.array(z.object({ hostId: z.string(), name: z.string() })),
});

const byName = new Intl.Collator("en", { numeric: true });

/** Those whose own name holds all the words come first, then those that do so with `more`: what can be done to each. */
export function findNamed<T extends { name: string }>(all: readonly T[], text: string, more: string): T[] {
  const own = (one: T) => (containsWords(text, [one.name]) ? 0 : 1);
  return all
    .filter(({ name }) => containsWords(text, [name, more]))
    .sort((a, b) => own(a) - own(b) || byName.compare(a.name, b.name))
    .slice(0, MOST_FOUND);
}
