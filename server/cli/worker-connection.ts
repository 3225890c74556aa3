/**
 * The command line's connection to the worker: one JSON object a line, replies by id. An open `exec`
 * session lasts as long as the connection does, so `close` is also how a lease is given up.
 */
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import type { ZodType } from "zod";
import {
  type ConsoleInput,
  type ConsoleMethod,
  type ConsoleOutput,
  consoleMethods,
} from "@/server/core/contracts/console-methods";
import { type HostInput, type HostMethod, type HostOutput, hostMethods } from "@/server/core/contracts/host-methods";
import { type SocketReply, socketReplySchema } from "@/server/core/contracts/socket";
import { Failure, failureOf, usageFailure } from "./failure";
import { namedField } from "./field-options";

interface Waiting {
  resolve(result: unknown): void;
  reject(error: Failure): void;
}

export class WorkerConnection {
  private nextId = 1;
  private readonly waiting = new Map<number, Waiting>();
  private lost: Failure | null = null;

  private constructor(
    private readonly socket: Socket,
    private readonly path: string,
  ) {
    const lines = createInterface({ input: socket });
    lines.on("line", (line) => this.receive(line));
    // Each error is followed by the close. The reader of lines raises it once more.
    for (const source of [socket, lines]) source.on("error", () => undefined);
    socket.on("close", () => this.fail(lostConnection(this.path)));
  }

  static open(path: string): Promise<WorkerConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect(path);
      socket.once("error", (error: NodeJS.ErrnoException) => reject(unreachable(path, error)));
      socket.once("connect", () => {
        socket.removeAllListeners("error");
        resolve(new WorkerConnection(socket, path));
      });
    });
  }

  /** Asks the worker of this host. The input is checked here first, so a mistake costs no round trip. */
  async host<M extends HostMethod>(method: M, input: HostInput<M>): Promise<HostOutput<M>> {
    const { input: given, output } = hostMethods[method];
    return read<HostOutput<M>>(method, output, await this.ask(method, check(given, input)));
  }

  /** Asks the console, through the worker. */
  async console<M extends ConsoleMethod>(method: M, input: ConsoleInput<M>): Promise<ConsoleOutput<M>> {
    const { input: given, output } = consoleMethods[method];
    return read<ConsoleOutput<M>>(method, output, await this.ask(`console.${method}`, check(given, input)));
  }

  close(): void {
    this.socket.destroy();
  }

  private ask(method: string, params: unknown): Promise<unknown> {
    if (this.lost) return Promise.reject(this.lost);
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.socket.write(`${JSON.stringify({ id, method, params })}\n`);
    });
  }

  private receive(line: string): void {
    const reply = readReply(line);
    if (reply === null) {
      this.fail(new Failure("the worker answers in another version of the protocol", 1, "OFO-COMM"));
      return;
    }
    const waiting = this.waiting.get(reply.id);
    this.waiting.delete(reply.id);
    if (reply.ok) waiting?.resolve(reply.result);
    else waiting?.reject(failureOf(reply.fault));
  }

  /** The first cause is kept. */
  private fail(cause: Failure): void {
    this.lost ??= cause;
    for (const waiting of this.waiting.values()) waiting.reject(this.lost);
    this.waiting.clear();
    this.socket.destroy();
  }
}

function readReply(line: string): SocketReply | null {
  try {
    return socketReplySchema.parse(JSON.parse(line));
  } catch {
    return null;
  }
}

function check(schema: ZodType, input: unknown): unknown {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const told = parsed.error.issues.map(
    (issue) => (issue.path.length ? `${namedField(issue.path.join("."))}: ` : "") + issue.message,
  );
  throw usageFailure(told.join("; "));
}

function read<T>(method: string, schema: ZodType, result: unknown): T {
  const parsed = schema.safeParse(result);
  if (parsed.success) return parsed.data as T;
  const where = parsed.error.issues[0]?.path.join(".") ?? "";
  throw new Failure(`the answer to ${method} is not what this version expects (${where})`, 1, "OFO-COMM");
}

function unreachable(path: string, error: NodeJS.ErrnoException): Failure {
  if (error.code === "EACCES" || error.code === "EPERM") {
    return new Failure(`not allowed to use ${path}`, 1, "OFO-COMM", "Run this command as root.");
  }
  const why = error.code === "ENOENT" ? "there is no socket" : "nobody answers";
  return new Failure(
    `the worker is not reachable: ${why} at ${path}`,
    1,
    "OFO-COMM",
    "Start it with `npm start` or `stillframe worker`; where it runs with its own --home, give the same --home here.",
  );
}

function lostConnection(path: string): Failure {
  return new Failure(
    `the worker at ${path} went away before it answered`,
    1,
    "OFO-COMM",
    "It cleans up after itself when it is started again; look at the end of its log.",
  );
}
