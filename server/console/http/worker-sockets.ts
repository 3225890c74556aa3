/** The workers' WebSocket, `/api/worker`. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Logger } from "pino";
import { WebSocketServer } from "ws";
import { hostOf } from "../link/host-key";
import { WorkerLink } from "../link/worker-link";
import type { Services } from "../services/services";
import { refuseUpgrade } from "./refuse-upgrade";

const MAX_MESSAGE_BYTES = 16 << 20;

export class WorkerSockets {
  readonly #server = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES });
  readonly #services: Services;
  readonly #log: Logger;

  constructor(services: Services, log: Logger) {
    this.#services = services;
    this.#log = log;
  }

  async open(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const hostId = hostOf(request, await this.#services.hosts.byKeyHash());
    if (hostId === null) {
      this.#log.warn({ address: request.socket.remoteAddress }, "a worker without a known key was refused");
      refuseUpgrade(socket, 401);
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (ws) => new WorkerLink(ws, hostId, this.#services, this.#log));
  }

  close(): void {
    this.#services.hosts.close();
    this.#server.close();
  }

  /** For those that do not answer the close. */
  terminate(): void {
    for (const ws of this.#server.clients) ws.terminate();
  }
}
