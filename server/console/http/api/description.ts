/** The HTTP API's description: OpenAPI 3.1, made from the routes and from the schemas that their answers are held to. */
import { z } from "zod";
import { scopesFor } from "@/server/core/access/scopes";
import { evidenceSchema } from "@/server/core/contracts/run";
import { namedDocuments, problemSchema } from "./documents";
import type { Route } from "./route";

type Json = Record<string, unknown>;

const documents = namedDocuments();
const reference = (id: string) => `#/components/schemas/${id}`;

export function describeApi(routes: readonly Route[], version: string): Json {
  const paths: Record<string, Json> = {};
  for (const one of routes) {
    const path = `/api/v1${one.path}`;
    paths[path] = { ...paths[path], [one.method.toLowerCase()]: operation(one) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Stillframe",
      version,
      description:
        "Jobs, runs, volumes and errors of a Stillframe console. Sizes are bytes, times ISO 8601 with milliseconds and zone, durations milliseconds. Documents may gain properties: ignore those that you do not know.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    security: [{ key: [] }],
    tags: ["Jobs", "Runs", "Volumes", "Errors"].map((name) => ({ name })),
    paths,
    components: {
      schemas: components(),
      securitySchemes: {
        key: { type: "http", scheme: "bearer", description: "An API key, made in the console's settings." },
      },
    },
  };
}

function operation({ id, tag, summary, permission, path, input, body, answer, status, makes }: Route): Json {
  const needed = scopesFor(permission).join(" or ");
  return {
    operationId: id,
    tags: [tag],
    summary,
    description: `Needs a key with the scope \`${needed}\`.`,
    parameters: parameters(input, path),
    ...(body && { requestBody: { required: true, content: { "application/json": { schema: schemaGiven(body) } } } }),
    responses: {
      [status]: {
        description: "Done",
        content: { "application/json": { schema: schemaOf(answer) } },
        ...(makes ? { headers: { Location: { description: "Where it is found.", schema: { type: "string" } } } } : {}),
      },
      default: {
        description: "An error",
        content: { "application/problem+json": { schema: schemaOf(problemSchema) } },
      },
    },
  };
}

function parameters(input: z.ZodObject, path: string): Json[] {
  return Object.entries(input.shape).map(([name, property]) => {
    const { description, ...rest } = clean(z.toJSONSchema(property as z.ZodType, { io: "input" }));
    const inPath = path.includes(`{${name}}`);
    return {
      name,
      in: inPath ? "path" : "query",
      required: inPath,
      ...(description ? { description } : {}),
      schema: rest,
    };
  });
}

/** What is sent: properties that have a default may be left out. */
function schemaGiven(schema: z.ZodType): Json {
  return clean(z.toJSONSchema(schema, { io: "input", reused: "inline" }));
}

/** A list's schema, with references to the documents in it. */
function schemaOf(schema: z.ZodType): Json {
  const id = documents.get(schema)?.id;
  if (id !== undefined) return { $ref: reference(id) };
  const made = namedDocuments();
  made.add(schema, { id: "Answer" });
  return clean(schemasOf(made).Answer as Json);
}

function components(): Json {
  const { __shared: _, ...schemas } = schemasOf(documents);
  return Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, clean(schema as Json)]));
}

function schemasOf(registry: ReturnType<typeof namedDocuments>): Json {
  return z.toJSONSchema(registry, {
    uri: reference,
    override: ({ zodSchema, jsonSchema }) => {
      // Any JSON refers to itself, in a part that `components` has no place for; what follows says the same.
      if (zodSchema !== evidenceSchema) return;
      for (const key of Object.keys(jsonSchema)) delete jsonSchema[key];
      Object.assign(jsonSchema, { type: "object", description: "Differs by code." });
    },
  }).schemas;
}

/** A document may gain properties in a later version; who checks answers by this must let them. */
function clean(schema: Json): Json {
  const inner = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(inner);
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(
      Object.entries(value)
        .filter(([key, it]) => key !== "$schema" && key !== "$id" && !(key === "additionalProperties" && it === false))
        .map(([key, it]) => [key, inner(it)]),
    );
  };
  return inner(schema) as Json;
}
