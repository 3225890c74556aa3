/** The worker's local socket (`contracts/socket.ts`), mode 0600: requests of the command line, one JSON object a line. */
import { chmod, mkdir, rm } from "node:fs/promises";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import { type SocketReply, socketRequestSchema } from "@/server/core/contracts/socket";
import { toFault } from "../fault";
import { log } from "../log";
import type { Caller } from "../snapshots/exec-sessions";

const LONGEST_LINE = 16 * 1024 * 1024;

export type Answer = (method: string, params: unknown, caller: Caller) => Promise<unknown>;

/** Whether another worker answers at this path. */
export function isServed(path: string): Promise<boolean> {
  return new Promise((done) => {
    const probe = createConnection(path);
    probe.once("connect", () => {
      probe.destroy();
      done(true);
    });
    probe.once("error", () => done(false));
  });
}

export class LocalSocket {
  private server: Server | null = null;
  private readonly connections = new Set<Socket>();

  constructor(
    private readonly path: string,
    private readonly answer: Answer,
  ) {}

  async listen(): Promise<void> {
    await mkdir(dirname(this.path), { recursive: true, mode: 0o700 });
    await rm(this.path, { force: true });
    const server = createServer((socket) => this.accept(socket));
    this.server = server;
    const before = process.umask(0o177);
    try {
      await new Promise<void>((done, fail) => server.once("error", fail).listen(this.path, done));
    } finally {
      process.umask(before);
    }
    await chmod(this.path, 0o600);
  }

  /** Ends all connections: their leases lapse. */
  async close(): Promise<void> {
    const closed = new Promise<void>((done) => (this.server === null ? done() : this.server.close(() => done())));
    for (const socket of this.connections) socket.destroy();
    await closed;
  }

  private accept(socket: Socket): void {
    const gone = new AbortController();
    let rest = "";
    this.connections.add(socket);
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => {
      rest += text;
      if (rest.length > LONGEST_LINE) socket.destroy(new Error("the line is too long"));
      const lines = rest.split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) if (line.trim() !== "") void this.handle(line, socket, { gone: gone.signal });
    });
    socket.on("error", (err) => log.debug({ err }, "a local connection failed"));
    socket.on("close", () => {
      this.connections.delete(socket);
      gone.abort();
    });
  }

  private async handle(line: string, socket: Socket, caller: Caller): Promise<void> {
    let id = 0;
    let reply: SocketReply;
    try {
      const request = socketRequestSchema.parse(JSON.parse(line));
      id = request.id;
      reply = { id, ok: true, result: await this.answer(request.method, request.params, caller) };
    } catch (error) {
      const fault = toFault(error);
      if (fault.kind === "internal") log.error({ err: error }, "a local request failed");
      reply = { id, ok: false, fault };
    }
    if (!socket.destroyed) socket.write(`${JSON.stringify(reply)}\n`);
  }
}
