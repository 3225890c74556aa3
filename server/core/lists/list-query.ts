/** What of a list is wanted, as its page's address says it. */
import { z } from "zod";

type ListSchema = z.ZodObject<Record<string, z.ZodDefault<z.ZodType>>>;

/** In every list: words that an entry must all contain, and which page of it. */
export const listFields = {
  text: z.string().trim().max(200).default(""),
  page: z.coerce.number().int().min(1).max(1_000_000).default(1),
};

/** What the address says; a part that makes no sense counts as absent. */
export function readListQuery<S extends z.ZodObject>(schema: S, asked: Record<string, unknown>): z.output<S> {
  const sound = Object.entries((schema as unknown as ListSchema).shape).flatMap(([key, field]) => {
    const found = field.safeParse(asked[key]);
    return asked[key] !== undefined && found.success ? [[key, found.data] as const] : [];
  });
  return schema.parse(Object.fromEntries(sound));
}

/** The address's query with what differs from the default: empty, or begins with `?`. */
export function listAddress<S extends z.ZodObject>(schema: S, query: z.output<S>): string {
  const usual: Record<string, unknown> = schema.parse({});
  const said = Object.entries(query).filter(([key, value]) => value !== undefined && value !== usual[key]);
  const text = new URLSearchParams(said.map(([key, value]) => [key, String(value)])).toString();
  return text && `?${text}`;
}

/** Whether something of the list is left out: more than its order or page differs from the default. */
export function isNarrowed<S extends z.ZodObject>(schema: S, query: z.output<S>): boolean {
  const { page: _, sort: __, ...narrowing } = query as Record<string, unknown>;
  const usual: Record<string, unknown> = schema.parse({});
  return Object.entries(narrowing).some(([key, value]) => value !== usual[key]);
}
