/** The pages, served by Next inside the console's own HTTP server. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import next from "next";
import { programRoot } from "../program-root";

/** Which place a request is for, over whatever the client sent: pages lead back to it after a sign-in. */
const PLACE_HEADER = "x-place";

export interface Pages {
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Takes the upgrade, or returns false. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean;
  close(): Promise<void>;
}

/**
 * Next attaches its upgrade listener (hot reload) to the server that it is given. It gets one that never
 * listens, and the console forwards to it: so every path has one owner, and unknown upgrades are refused.
 */
export async function startPages(options: { developing: boolean; hostname: string; port: number }): Promise<Pages> {
  const { developing, hostname, port } = options;
  const upgrades = createServer();
  const app = next({
    dev: developing,
    dir: programRoot(),
    hostname,
    port,
    httpServer: upgrades,
    turbopack: developing,
  });
  await app.prepare();
  const handle = app.getRequestHandler();
  return {
    handle: (request, response) => {
      request.headers[PLACE_HEADER] = request.url;
      return handle(request, response);
    },
    upgrade: (request, socket, head) => developing && upgrades.emit("upgrade", request, socket, head),
    close: () => app.close(),
  };
}
