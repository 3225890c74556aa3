/**
 * The HTTP API for other programs, `/api/v1`. A request needs a key with a scope that gives the route's permission;
 * what it gives is checked before anything is done; what changes something leaves an entry in the audit log, also
 * when it is refused. Errors are problem documents.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "pino";
import { z } from "zod";
import { CLIENT_ADDRESS } from "../../services/accounts/auth-hooks";
import type { Services } from "../../services/services";
import { keyHolderOf, type Refusal, refusalOf, tooSoon } from "../key-holder";
import { readBody } from "./body";
import { describeApi } from "./description";
import { checked, ProblemError, problemOf } from "./problem";
import type { Answered, Route } from "./route";
import { failuresRoutes } from "./routes/failures-routes";
import { hostsRoutes } from "./routes/hosts-routes";
import { jobChangesRoutes } from "./routes/job-changes-routes";
import { jobsRoutes } from "./routes/jobs-routes";
import { runsRoutes } from "./routes/runs-routes";

export const API_PREFIX = "/api/v1/";

const routes: readonly Route[] = [...jobsRoutes, ...jobChangesRoutes, ...runsRoutes, ...hostsRoutes, ...failuresRoutes];

type Given = Record<string, unknown>;

export class Api {
  readonly #services: Services;
  readonly #log: Logger;
  readonly #description: string;

  constructor(services: Services, log: Logger) {
    this.#services = services;
    this.#log = log;
    this.#description = JSON.stringify(describeApi(routes, services.version));
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader("cache-control", "no-store");
    const [path = "", query = ""] = (request.url ?? "").split("?");
    const below = `/${path.slice(API_PREFIX.length)}`;
    if (below === "/openapi.json" && request.method === "GET") {
      response.writeHead(200, { "content-type": "application/json" }).end(this.#description);
      return;
    }
    let input: z.ZodObject = z.object({});
    let given: Given = {};
    try {
      const { route, inPath } = find(request, response, below);
      input = route.input;
      given = inPath;
      const { body, location } = await this.#answer(route, request, response, async () => {
        given = { ...fromQuery(query), ...inPath };
        const checkedInput = checked(route.input, given);
        const sent = route.body && ((await readBody(request, route.body)) as Given);
        given = { ...given, ...sent };
        return { input: checkedInput, sent };
      });
      if (location !== null) response.setHeader("location", `${API_PREFIX}${location.slice(1)}`);
      send(response, route.status, body, "application/json");
    } catch (error) {
      const problem = problemOf(error, input, given);
      if (problem.kind === "internal") this.#log.error({ err: error, path }, "an API request failed");
      send(response, problem.status, problem, "application/problem+json");
    } finally {
      // A body that nobody read must not hold the connection.
      request.resume();
    }
  }

  async #answer(
    route: Route,
    request: IncomingMessage,
    response: ServerResponse,
    inputOf: () => Promise<{ input: Given; sent: Given | null }>,
  ): Promise<Answered> {
    const { audit, apiKeys } = this.#services;
    const holder = await keyHolderOf(apiKeys, request);
    const seconds = tooSoon(apiKeys, holder);
    if (seconds !== null) {
      response.setHeader("retry-after", seconds);
      throw new ProblemError("busy", `“${holder?.name}” asks too often. Ask again in ${seconds} s.`, { status: 429 });
    }
    const refusal = refusalOf(holder, route.permission);
    const address = request.headers[CLIENT_ADDRESS]?.toString() || null;
    const actor = { by: `key “${holder?.name}”`, role: null, address };
    if (refusal) {
      // A stranger could fill the log with guesses.
      if (route.audit && holder) {
        await audit.record(actor, route.audit, null, { outcome: "refused", message: refusal.message });
      }
      throw refused(response, refusal);
    }
    const { input, sent } = await inputOf();
    const work = () => route.respond(this.#services, input, sent);
    return route.audit ? audit.around(actor, route.audit, { ...input, ...sent }, work) : work();
  }
}

function refused(response: ServerResponse, { status, message, challenge }: Refusal): ProblemError {
  response.setHeader("www-authenticate", challenge);
  return new ProblemError("denied", message, { status });
}

/** The route and what stands in its path, or throws what there is instead. */
function find(request: IncomingMessage, response: ServerResponse, path: string) {
  const fitting = routes.flatMap((route) => {
    const inPath = match(route.path, path);
    return inPath ? [{ route, inPath }] : [];
  });
  const found = fitting.find(({ route }) => route.method === request.method);
  if (found) return found;
  if (fitting.length === 0) {
    throw new ProblemError("notFound", `There is no ${API_PREFIX}${path.slice(1)}. See ${API_PREFIX}openapi.json.`);
  }
  const allowed = fitting.map(({ route }) => route.method).join(", ");
  response.setHeader("allow", allowed);
  throw new ProblemError("invalid", `${request.method} is not allowed here: ${allowed} is.`, { status: 405 });
}

/** What stands at the `{names}` of a template; null when the path is another. */
function match(template: string, path: string): Record<string, string> | null {
  const parts = path.split("/");
  const wanted = template.split("/");
  if (parts.length !== wanted.length) return null;
  const found: Record<string, string> = {};
  for (const [at, want] of wanted.entries()) {
    const part = parts[at] ?? "";
    const name = /^\{(\w+)\}$/.exec(want)?.[1];
    if (name === undefined ? want !== part : part === "") return null;
    if (name !== undefined) found[name] = decoded(part);
  }
  return found;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new ProblemError("invalid", `“${part}” in the path is not percent-encoded UTF-8.`);
  }
}

/** A name that is given twice keeps all its values, which no schema takes. */
function fromQuery(query: string): Given {
  const found = new URLSearchParams(query);
  return Object.fromEntries(
    [...new Set(found.keys())].map((name) => {
      const values = found.getAll(name);
      return [name, values.length === 1 ? values[0] : values];
    }),
  );
}

function send(response: ServerResponse, status: number, document: unknown, type: string): void {
  response.writeHead(status, { "content-type": type }).end(JSON.stringify(document));
}
