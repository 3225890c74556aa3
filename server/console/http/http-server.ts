/**
 * The console's one HTTP port. Who owns a path:
 *
 *   /api/auth/*   accounts              /api/ws       browsers' socket: session and Origin required
 *   /api/trpc/*   the API               /api/worker   workers' socket: host key required
 *   /api/v1/*     programs, by a key    /metrics      figures, by a key
 *   /api/join     machines to be hosts, by a one-time token
 *   /healthz      "is it up"            /readyz       "can it work"
 *                                       /_next/*      hot reload, while developing
 *   all else      pages                 all other upgrades are refused
 *
 * API and accounts live here and not in Next, whose module graph is another: singletons would exist twice.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer, type Server as SecureServer } from "node:https";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import { nodeHTTPRequestHandler } from "@trpc/server/adapters/node-http";
import { toNodeHandler } from "better-auth/node";
import type { Logger } from "pino";
import type { Environment } from "../environment";
import { appRouter } from "../routers/app-router";
import { type Auth, isAuthEndpoint } from "../services/accounts/auth";
import { CLIENT_ADDRESS } from "../services/accounts/auth-hooks";
import type { Services } from "../services/services";
import { API_PREFIX, Api } from "./api/api";
import { BrowserSockets } from "./browser-sockets";
import { followFiles, readKeyPair } from "./certificate";
import { clientAddress } from "./client-address";
import { compressAnswer } from "./compression";
import { answerJoin, JOIN_PATH } from "./join-endpoint";
import { answerMetrics } from "./metrics-endpoint";
import { sameOrigin } from "./origin";
import type { Pages } from "./pages";
import { answerReady } from "./ready-endpoint";
import { refuseUpgrade } from "./refuse-upgrade";
import { setSecurityHeaders } from "./security-headers";
import { viewerOf } from "./viewer";
import { WorkerSockets } from "./worker-sockets";

const MAX_BODY_BYTES = 1 << 20;
const CLOSE_WITHIN_MS = 1_000;
const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);

export type HttpParts = {
  services: Services;
  auth: Auth;
  pages: Pages;
  log: Logger;
  publicUrl: string | null;
  tls: Environment["tls"];
  trustedProxies: ReadonlySet<string>;
  metricsAccess: Environment["metricsAccess"];
  developing: boolean;
};

export class HttpServer {
  readonly #parts: HttpParts;
  readonly #server: Server = createServer();
  readonly #secure: SecureServer | null;
  #stopFollowing = () => {};
  readonly #browsers: BrowserSockets;
  readonly #workers: WorkerSockets;
  readonly #api: Api;
  readonly #accounts: ReturnType<typeof toNodeHandler>;

  constructor(parts: HttpParts) {
    this.#parts = parts;
    this.#browsers = new BrowserSockets(parts.services, parts.log);
    this.#workers = new WorkerSockets(parts.services, parts.log);
    this.#api = new Api(parts.services, parts.log);
    this.#accounts = toNodeHandler(parts.auth);
    this.#secure = parts.tls && createSecureServer(readKeyPair(parts.tls));
    for (const server of this.#servers) this.#serve(server);
  }

  get #servers(): (Server | SecureServer)[] {
    return this.#secure ? [this.#server, this.#secure] : [this.#server];
  }

  #serve(server: Server | SecureServer): void {
    const { log } = this.#parts;
    server.on("request", (request, response) => {
      this.#handle(request, response).catch((error) => {
        log.error({ err: error, path: pathOf(request) }, "a request failed");
        if (!response.headersSent) response.writeHead(500).end();
        else response.destroy();
      });
    });
    server.on("upgrade", (request, socket, head) => {
      socket.on("error", () => socket.destroy());
      this.#upgrade(request, socket, head).catch((error) => {
        log.error({ err: error, path: pathOf(request) }, "an upgrade failed");
        refuseUpgrade(socket, 500);
      });
    });
  }

  /** `plainBind`: of plain HTTP; HTTPS, where there is a certificate, listens on `bind`. */
  async listen(port: number, plainBind: string, bind: string): Promise<void> {
    await listening(this.#server, port, plainBind);
    const { tls, log } = this.#parts;
    if (!tls || !this.#secure) return;
    await listening(this.#secure, tls.port, bind);
    this.#stopFollowing = followFiles(tls, this.#secure, log);
  }

  /** Ends sockets and answers under way, then closes the port. */
  async close(): Promise<void> {
    this.#browsers.close();
    this.#workers.close();
    this.#stopFollowing();
    const closed = Promise.all(this.#servers.map((server) => new Promise((resolve) => server.close(resolve))));
    for (const server of this.#servers) server.closeIdleConnections();
    const late = setTimeout(() => {
      this.#browsers.terminate();
      this.#workers.terminate();
      for (const server of this.#servers) server.closeAllConnections();
    }, CLOSE_WITHIN_MS);
    await closed;
    clearTimeout(late);
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { services, auth, pages, log, publicUrl, trustedProxies, metricsAccess, developing } = this.#parts;
    const path = pathOf(request);
    const address = clientAddress(request, trustedProxies);
    request.headers[CLIENT_ADDRESS] = address;
    const tls = request.socket instanceof TLSSocket || publicUrl?.startsWith("https:") === true;
    setSecurityHeaders(request, response, developing, tls);
    const api = path.startsWith("/api/");
    if (api && !SAFE.has(request.method ?? "") && !sameOrigin(request, publicUrl, false)) {
      response.writeHead(403).end();
    } else if (isAuthEndpoint(path)) {
      if (path === "/api/auth/single-sign-on/leave") response.on("finish", () => void this.#browsers.checkSessions());
      await this.#accounts(request, response);
    } else if (path.startsWith("/api/trpc/")) {
      response.setHeader("cache-control", "no-store");
      compressAnswer(request, response);
      await nodeHTTPRequestHandler({
        router: appRouter,
        req: request,
        res: response,
        path: path.slice("/api/trpc/".length),
        maxBodySize: MAX_BODY_BYTES,
        createContext: async () => ({
          services,
          viewer: await viewerOf(auth, request),
          address: address || null,
        }),
        onError: ({ error, path: procedure }) => {
          if (error.code === "INTERNAL_SERVER_ERROR") log.error({ err: error, procedure }, "a procedure failed");
        },
      });
    } else if (path === "/healthz") {
      response.writeHead(200, { "content-type": "application/json" }).end('{"ok":true}');
    } else if (path.startsWith(API_PREFIX)) {
      await this.#api.handle(request, response);
    } else if (path === JOIN_PATH || path.startsWith(`${JOIN_PATH}/`)) {
      await answerJoin(request, response, services, address, log);
    } else if (path === "/readyz") {
      await answerReady(response, services, log);
    } else if (path === "/metrics") {
      await answerMetrics(request, response, services, metricsAccess);
    } else if (api) {
      response.writeHead(404).end();
    } else {
      await pages.handle(request, response);
    }
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { auth, pages, publicUrl, trustedProxies } = this.#parts;
    const path = pathOf(request);
    request.headers[CLIENT_ADDRESS] = clientAddress(request, trustedProxies);
    if (path === "/api/ws") {
      if (!sameOrigin(request, publicUrl, true)) return refuseUpgrade(socket, 403);
      const viewer = await viewerOf(auth, request);
      if (!viewer) return refuseUpgrade(socket, 401);
      this.#browsers.open(request, socket, head, viewer);
    } else if (path === "/api/worker") {
      await this.#workers.open(request, socket, head);
    } else if (!path.startsWith("/_next/") || !pages.upgrade(request, socket, head)) {
      refuseUpgrade(socket, 404);
    }
  }
}

function listening(server: Server | SecureServer, port: number, bind: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, bind, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function pathOf(request: IncomingMessage): string {
  const [path = "/"] = (request.url ?? "/").split("?");
  return path;
}
