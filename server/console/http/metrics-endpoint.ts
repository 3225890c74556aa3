/**
 * `/metrics`. It tells names of hosts, mount points and jobs, so it is not for everyone: a key with the scope
 * `metrics`, or, where STILLFRAME_METRICS says `loopback`, any program on this machine. A proxy on this machine
 * is such a program too and would let the world in: what it passes on bears a header of forwarding, or another
 * Host, and needs a key all the same. The Host also keeps out pages of other sites whose name was made to
 * lead here (DNS rebinding).
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { BlockList } from "node:net";
import type { Environment } from "../environment";
import type { Services } from "../services/services";
import { keyHolderOf, refusalOf, tooSoon } from "./key-holder";

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8);
loopback.addAddress("::1", "ipv6");

const LOCAL_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;
const FORWARDING = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"];

export async function answerMetrics(
  request: IncomingMessage,
  response: ServerResponse,
  services: Services,
  access: Environment["metricsAccess"],
): Promise<void> {
  response.setHeader("cache-control", "no-store");
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.writeHead(405, { allow: "GET, HEAD" }).end();
    return;
  }
  if (access !== "loopback" || !isLocal(request)) {
    const holder = await keyHolderOf(services.apiKeys, request);
    const seconds = tooSoon(services.apiKeys, holder);
    if (seconds !== null) {
      response.writeHead(429, { "retry-after": String(seconds) }).end();
      return;
    }
    const refusal = refusalOf(holder, "readMetrics");
    if (refusal) {
      const headers = { "content-type": "text/plain; charset=utf-8", "www-authenticate": refusal.challenge };
      response.writeHead(refusal.status, headers).end(`${refusal.message}\n`);
      return;
    }
  }
  const text = await services.metrics.text();
  response.writeHead(200, { "content-type": services.metrics.contentType });
  response.end(request.method === "HEAD" ? undefined : text);
}

function isLocal({ socket, headers }: IncomingMessage): boolean {
  const address = socket.remoteAddress?.replace(/^::ffff:/, "") ?? "";
  const family = address.includes(":") ? "ipv6" : "ipv4";
  if (address === "" || !loopback.check(address, family) || !LOCAL_HOST.test(headers.host ?? "")) return false;
  return FORWARDING.every((name) => headers[name] === undefined);
}
