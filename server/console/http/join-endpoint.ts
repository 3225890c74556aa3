/**
 * What a machine asks that is to become a host (`public/join.sh` and `stillframe host join`), with a one-time token as
 * bearer: the program (`GET /api/join/program?machine=x86_64`, which does not use the token up), then to be let in
 * (`POST /api/join`). Whoever reads the answers is a shell: refusals are a line of plain text.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "pino";
import { joinRequestSchema } from "@/server/core/contracts/joining";
import { FaultError, fault } from "../services/fault-error";
import type { Services } from "../services/services";
import { readBody } from "./api/body";
import { ProblemError } from "./api/problem";
import { hostMachine, sendHostProgram } from "./host-program";

export const JOIN_PATH = "/api/join";

const BEARER = /^Bearer +([\w-]{1,200}) *$/i;

export async function answerJoin(
  request: IncomingMessage,
  response: ServerResponse,
  { joining }: Services,
  address: string,
  log: Logger,
): Promise<void> {
  response.setHeader("cache-control", "no-store");
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://console");
  const token = BEARER.exec(request.headers.authorization ?? "")?.[1] ?? null;
  try {
    if (pathname === `${JOIN_PATH}/program`) {
      if (request.method !== "GET") return answer(response, 405, "This is read with GET.", { allow: "GET" });
      await joining.check(token);
      requireMachine(searchParams.get("machine"));
      return sendHostProgram(response, log);
    }
    if (pathname !== JOIN_PATH) return answer(response, 404, "There is nothing here.");
    if (request.method !== "POST") return answer(response, 405, "This is asked with POST.", { allow: "POST" });
    await joining.check(token);
    const { hostname, keyHash } = await readBody(request, joinRequestSchema);
    const joined = await joining.join(token ?? "", hostname, keyHash, address || null);
    log.info({ ...joined, hostname, address }, "a machine became a host");
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(joined));
  } catch (error) {
    if (error instanceof ProblemError) return answer(response, error.problem.status, error.problem.detail);
    if (!(error instanceof FaultError)) throw error;
    return answer(response, error.fault.kind === "denied" ? 401 : 409, error.message);
  }
}

function requireMachine(machine: string | null): void {
  if (machine === hostMachine()) return;
  throw fault(
    "conflict",
    `This console's programs are for ${hostMachine()}, the machine is ${machine ?? "not said"}. Build Stillframe there, and join with: stillframe host join`,
    { field: "machine" },
  );
}

function answer(response: ServerResponse, status: number, text: string, headers: Record<string, string> = {}): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8", ...headers }).end(`${text}\n`);
}
