/** A path of the HTTP API: one value from which it is answered, checked, and described. */
import type { z } from "zod";
import type { AuditAction } from "@/server/core/access/audit";
import type { Permission } from "@/server/core/access/permissions";
import type { Services } from "../../services/services";

/** What a reader of the description sees. */
type Told = {
  method: "GET" | "POST" | "PUT" | "DELETE";
  /** Below `/api/v1`; `{name}` stands for a property of the input, the others come in the query. */
  path: `/${string}`;
  id: string;
  tag: "Jobs" | "Runs" | "Volumes" | "Errors";
  summary: string;
  permission: Permission;
  /** Of what changes something. */
  audit?: AuditAction;
  /** On success. */
  status: 200 | 201 | 202;
};

type Definition<I extends z.ZodObject, A extends z.ZodType, B extends z.ZodType> = Told & {
  input: I;
  /** The JSON that comes with the request; left out: none is read. */
  body?: B;
  answer: A;
  respond: (services: Services, input: z.output<I>, body: z.output<B>) => Promise<z.input<A>>;
  /** Path of what was made. */
  location?: (answer: z.output<A>) => string;
};

export type Route = Told & {
  input: z.ZodObject;
  body: z.ZodType | null;
  answer: z.ZodType;
  makes: boolean;
  /** The input and the body have been checked; only what `answer` describes leaves. */
  respond: (services: Services, input: Record<string, unknown>, body: unknown) => Promise<Answered>;
};

export type Answered = { body: unknown; location: string | null };

export function route<I extends z.ZodObject, A extends z.ZodType, B extends z.ZodType = z.ZodNever>(
  definition: Definition<I, A, B>,
): Route {
  const { respond, location, ...told } = definition;
  return {
    ...told,
    body: told.body ?? null,
    makes: location !== undefined,
    respond: async (services, input, body) => {
      const answer = told.answer.parse(await respond(services, input as z.output<I>, body as z.output<B>));
      return { body: answer, location: location?.(answer) ?? null };
    },
  };
}
