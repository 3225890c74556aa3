/**
 * The browsers' WebSocket, `/api/ws`: tRPC for whoever is signed in. A socket lives longer than the request that
 * opened it, so its session is looked up again every few seconds, and at once after a sign-out; without one the
 * socket is closed and its subscriptions end.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { applyWSSHandler } from "@trpc/server/adapters/ws";
import type { Logger } from "pino";
import { type WebSocket, WebSocketServer } from "ws";
import { appRouter } from "../routers/app-router";
import type { Viewer } from "../routers/procedures";
import { CLIENT_ADDRESS } from "../services/accounts/auth-hooks";
import type { Services } from "../services/services";

const MAX_MESSAGE_BYTES = 1 << 20;
const SESSION_CHECK_MS = 10_000;
/** An application's close code (4000–4999): the session has ended. */
const SIGNED_OUT = 4401;

export class BrowserSockets {
  readonly #server = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES });
  readonly #viewers = new Map<WebSocket, Viewer>();
  readonly #byRequest = new WeakMap<IncomingMessage, Viewer>();
  readonly #handler: ReturnType<typeof applyWSSHandler>;
  readonly #timer: NodeJS.Timeout;
  readonly #log: Logger;

  constructor(services: Services, log: Logger) {
    this.#log = log;
    this.#handler = applyWSSHandler({
      wss: this.#server,
      router: appRouter,
      createContext: ({ req }) => ({
        services,
        viewer: this.#byRequest.get(req) ?? null,
        address: req.headers[CLIENT_ADDRESS]?.toString() || null,
      }),
      keepAlive: { enabled: true, pingMs: 15_000, pongWaitMs: 10_000 },
      onError: ({ error, path }) => {
        if (error.code === "INTERNAL_SERVER_ERROR") log.error({ err: error, path }, "a procedure failed");
      },
    });
    this.#timer = setInterval(() => void this.checkSessions(), SESSION_CHECK_MS);
  }

  open(request: IncomingMessage, socket: Duplex, head: Buffer, viewer: Viewer): void {
    this.#byRequest.set(request, viewer);
    this.#server.handleUpgrade(request, socket, head, (ws) => {
      this.#viewers.set(ws, viewer);
      ws.on("close", () => this.#viewers.delete(ws));
      this.#server.emit("connection", ws, request);
    });
  }

  /** Closes the sockets whose session has ended. */
  async checkSessions(): Promise<void> {
    try {
      for (const [ws, viewer] of this.#viewers) if (!(await viewer.now())) ws.close(SIGNED_OUT, "signed out");
    } catch (error) {
      this.#log.error({ err: error }, "sessions could not be checked");
    }
  }

  close(): void {
    clearInterval(this.#timer);
    this.#handler.broadcastReconnectNotification();
    for (const ws of this.#viewers.keys()) ws.close(1001, "the console is shutting down");
    this.#server.close();
  }

  /** For those that do not answer the close. */
  terminate(): void {
    for (const ws of this.#server.clients) ws.terminate();
  }
}
