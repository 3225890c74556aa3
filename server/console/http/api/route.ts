/** A path of the HTTP API: one value from which it is answered, checked, and described. */
import type { z } from "zod";
import type { AuditAction } from "@/server/core/access/audit";
import type { Permission } from "@/server/core/access/permissions";
import type { Services } from "../../services/services";

/** What a reader of the description sees. */
type Told = {
  method: "GET" | "POST";
  /** Below `/api/v1`; `{name}` stands for a property of the input, the others come in the query. */
  path: `/${string}`;
  id: string;
  tag: "Jobs" | "Runs" | "Volumes" | "Errors";
  summary: string;
  permission: Permission;
  /** Of what changes something. */
  audit?: AuditAction;
  /** On success. */
  status: 200 | 202;
};

type Definition<I extends z.ZodObject, A extends z.ZodType> = Told & {
  input: I;
  answer: A;
  respond: (services: Services, input: z.output<I>) => Promise<z.input<A>>;
  /** Path of what was made. */
  location?: (answer: z.output<A>) => string;
};

export type Route = Told & {
  input: z.ZodObject;
  answer: z.ZodType;
  makes: boolean;
  /** The input has been checked; only what `answer` describes leaves. */
  respond: (services: Services, input: Record<string, unknown>) => Promise<Answered>;
};

export type Answered = { body: unknown; location: string | null };

export function route<I extends z.ZodObject, A extends z.ZodType>(definition: Definition<I, A>): Route {
  const { respond, location, ...told } = definition;
  return {
    ...told,
    makes: location !== undefined,
    respond: async (services, input) => {
      const body = told.answer.parse(await respond(services, input as z.output<I>));
      return { body, location: location?.(body) ?? null };
    },
  };
}
