/**
 * One connection to an engine's control socket: one JSON object a line, replies by id, events without one.
 * A connection that breaks is not mended here: every request of it fails with `EngineGone`, and the owner
 * opens a new one (the keeper holds the listening socket, so a new engine answers at the same path).
 */
import { createConnection, type Socket } from "node:net";
import { formatDuration } from "@/server/core/text/duration";
import { errnoName } from "../fault";
import {
  ENGINE_PROTOCOL,
  type EngineFault,
  type EngineMethods,
  type Event,
  type HelloResult,
  type Report,
} from "./protocol.gen";

/** What an engine refused; `kind` is the engine's word. */
export class EngineRefused extends Error {
  override name = "EngineRefused";
  constructor(
    readonly kind: EngineFault["kind"],
    message: string,
    readonly errno: number | null,
  ) {
    super(message);
  }
}

/** The engine cannot be reached, or went away during a request. */
export class EngineGone extends Error {
  override name = "EngineGone";
}

export type ReleasedEvent = Extract<Event, { event: "released" }>;

export interface EngineEvents {
  report?: (report: Report) => void;
  released?: (event: ReleasedEvent) => void;
  closed?: () => void;
}

type Reply = { id: number } & ({ result: unknown } | { error: EngineFault });

interface Waiting {
  done: (result: unknown) => void;
  fail: (error: Error) => void;
  timer: NodeJS.Timeout;
}

export class EngineClient {
  private nextId = 1;
  private rest = "";
  private readonly waiting = new Map<number, Waiting>();
  private closedBecause: Error | null = null;

  private said: HelloResult | null = null;

  private constructor(
    private readonly socket: Socket,
    private readonly events: EngineEvents,
  ) {
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => this.receive(text));
    socket.on("error", (error) => this.end(new EngineGone(`the engine's socket failed: ${error.message}`)));
    socket.on("close", () => this.end(new EngineGone("the engine closed its socket")));
  }

  /** Who answers at the other end. */
  get engine(): HelloResult {
    if (this.said === null) throw new EngineGone("the engine has not said who it is");
    return this.said;
  }

  /** Connects and says hello. */
  static async open(path: string, events: EngineEvents = {}, timeoutMs = 5000): Promise<EngineClient> {
    const socket = await new Promise<Socket>((done, fail) => {
      const connecting = createConnection(path);
      const timer = setTimeout(() => connecting.destroy(new Error("no answer")), timeoutMs);
      connecting.once("connect", () => {
        clearTimeout(timer);
        connecting.removeAllListeners("error");
        done(connecting);
      });
      connecting.once("error", (error) => {
        clearTimeout(timer);
        fail(new EngineGone(`nobody serves ${path} (${errnoName(error) ?? error.message})`));
      });
    });
    const client = new EngineClient(socket, events);
    try {
      client.said = await client.request("hello", { protocol: ENGINE_PROTOCOL }, timeoutMs);
      return client;
    } catch (error) {
      client.close();
      throw error;
    }
  }

  /** Sends one request. Throws `EngineRefused` or `EngineGone`. */
  request<M extends keyof EngineMethods>(
    method: M,
    params: EngineMethods[M]["params"],
    timeoutMs = 10_000,
  ): Promise<EngineMethods[M]["result"]> {
    if (this.closedBecause !== null) return Promise.reject(this.closedBecause);
    const id = this.nextId++;
    return new Promise((done, fail) => {
      const timer = setTimeout(() => {
        this.waiting.delete(id);
        fail(new EngineGone(`the engine did not answer ${method} within ${formatDuration(timeoutMs)}`));
      }, timeoutMs);
      this.waiting.set(id, { done: (result) => done(result as EngineMethods[M]["result"]), fail, timer });
      this.socket.write(`${JSON.stringify({ id, method, params })}\n`);
    });
  }

  close(): void {
    this.end(new EngineGone("the connection was closed"));
    this.socket.destroy();
  }

  private receive(text: string): void {
    this.rest += text;
    const lines = this.rest.split("\n");
    this.rest = lines.pop() ?? "";
    for (const line of lines) if (line !== "") this.handle(JSON.parse(line) as Event | Reply);
  }

  private handle(line: Event | Reply): void {
    if ("event" in line) {
      if (line.event === "report") this.events.report?.(line.report);
      else this.events.released?.(line);
      return;
    }
    const waiting = this.waiting.get(line.id);
    if (waiting === undefined) return;
    this.waiting.delete(line.id);
    clearTimeout(waiting.timer);
    if ("error" in line) waiting.fail(new EngineRefused(line.error.kind, line.error.message, line.error.errno));
    else waiting.done(line.result);
  }

  private end(reason: Error): void {
    if (this.closedBecause !== null) return;
    this.closedBecause = reason;
    for (const { fail, timer } of this.waiting.values()) {
      clearTimeout(timer);
      fail(reason);
    }
    this.waiting.clear();
    this.events.closed?.();
  }
}
