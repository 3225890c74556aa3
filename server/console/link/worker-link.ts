/**
 * One connection of a worker, from its greeting to its end.
 *
 * - `hello` comes first; nothing else is looked at before it is answered with `welcome`.
 * - Events are stored in batches, one batch at a time: what arrives while one is being written makes the next.
 *   Only then `ack` goes out. Anything that fails closes the connection; the worker connects anew and sends
 *   again what is not acknowledged.
 * - A message that does not fit the contract closes the connection too: half-understood events would be lost.
 * - Pings tell a dead connection from a silent one.
 */
import type { Logger } from "pino";
import type { RawData, WebSocket } from "ws";
import type { HostMethod } from "@/server/core/contracts/host-methods";
import {
  type ConsoleMessage,
  LINK_PROTOCOL,
  type WorkerMessage,
  workerMessageSchema,
} from "@/server/core/contracts/link";
import { timeZoneSchema } from "@/server/core/contracts/schedule";
import type { SequencedEvent } from "../data/run-events";
import { FaultError, fault, UnansweredError } from "../services/fault-error";
import { type HostLink, patienceFor } from "../services/hosts/host-link";
import type { Services } from "../services/services";
import { answerConsoleMethod } from "./console-methods";

const PING_MS = 10_000;
const GREETING_MS = 10_000;
const BATCH = 500;
/** Silence that counts as an empty outbox: of a worker that does not say how far it goes, and of one whose word is not kept. */
const SILENCE_MS = { untold: 5_000, told: 30_000 } as const;
/** WebSocket close codes: policy violation, internal error, going away. */
const CLOSE = { refused: 1008, failed: 1011, away: 1001 } as const;

type Waiting = { resolve: (result: unknown) => void; reject: (error: Error) => void; timer: NodeJS.Timeout };
type Hello = WorkerMessage & { type: "hello" };

export class WorkerLink implements HostLink {
  readonly #socket: WebSocket;
  readonly #hostId: string;
  readonly #services: Services;
  readonly #log: Logger;
  readonly #ended = new AbortController();
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #answered = true;
  #hello: Hello | null = null;
  #welcomed = false;
  #storedSeq = 0;
  #lastEventAt = 0;
  #unstored: SequencedEvent[] = [];
  #storing = false;
  #firstBatch = true;

  constructor(socket: WebSocket, hostId: string, services: Services, log: Logger) {
    this.#socket = socket;
    this.#hostId = hostId;
    this.#services = services;
    this.#log = log.child({ part: "link", hostId });
    const ping = setInterval(() => this.#ping(), PING_MS);
    const greeting = setTimeout(() => {
      if (!this.#welcomed) this.#refuse("no greeting came");
    }, GREETING_MS);
    socket.on("pong", () => {
      this.#answered = true;
    });
    socket.on("message", (data) => this.#receive(data));
    socket.on("error", (error) => this.#log.warn({ err: error }, "link failed"));
    socket.on("close", () => {
      clearInterval(ping);
      clearTimeout(greeting);
      this.#end();
    });
  }

  get supports(): ReadonlySet<string> {
    return new Set(this.#hello?.supports);
  }

  request(method: HostMethod, params: unknown, timeoutMs: number): Promise<unknown> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        const message = `The worker did not answer ${method} within ${timeoutMs / 1000} s.`;
        reject(new UnansweredError({ kind: "unavailable", message, field: null, code: "OFO-COMM" }));
      }, timeoutMs);
      this.#waiting.set(id, { resolve, reject, timer });
      this.#send({ type: "request", id, method, params });
    });
  }

  watch(on: boolean): void {
    this.#send({ type: "watch", on });
  }

  close(reason: string): void {
    this.#socket.close(CLOSE.away, reason);
  }

  #receive(data: RawData): void {
    const message = parse(data);
    if (!message) this.#refuse("a message does not fit the contract");
    else if (message.type !== "hello") this.#take(message);
    else if (this.#hello) this.#refuse("a second greeting came");
    else {
      this.#hello = message;
      this.#run(this.#greet(message));
    }
  }

  #take(message: Exclude<WorkerMessage, Hello>): void {
    if (!this.#welcomed) {
      this.#refuse("the greeting must come first");
      return;
    }
    this.#run(this.#services.hosts.heard(this.#hostId));
    switch (message.type) {
      case "event":
        this.#unstored.push(message);
        this.#lastEventAt = Date.now();
        if (!this.#storing) this.#run(this.#store());
        break;
      case "samples":
        this.#services.telemetry.receive(this.#hostId, message.samples);
        break;
      case "activity":
        this.#run(this.#services.historyRecorder.receive(this.#hostId, message.zone, message.volumes));
        break;
      case "volumes":
        this.#run(this.#services.volumes.receive(this.#hostId, message.volumes));
        break;
      case "request":
        this.#run(this.#answer(message));
        break;
      case "reply":
        this.#settle(message);
        break;
    }
  }

  async #greet(hello: Hello): Promise<void> {
    if (hello.protocol !== LINK_PROTOCOL) {
      this.#refuse(`protocol ${hello.protocol}; this console speaks ${LINK_PROTOCOL}`);
      return;
    }
    const { hosts, reconciler, settings } = this.#services;
    const { hostname, version, kernel, outboxId, activeRuns } = hello;
    const timeZone = timeZoneSchema.safeParse(hello.timeZone).data ?? null;
    this.#storedSeq = await hosts.greeted(this.#hostId, { hostname, version, kernel, timeZone }, outboxId);
    const missing = await reconciler.missing(this.#hostId, activeRuns);
    this.#lastEventAt = Date.now();
    this.#welcomed = true;
    this.#send({ type: "welcome", protocol: LINK_PROTOCOL, hostId: this.#hostId, lastSeq: this.#storedSeq });
    hosts.connected(this.#hostId, this);
    this.#log.info({ hostname, version }, "worker connected");
    await settings.greet(this.#hostId);
    this.#run(this.#cancelUnwanted(activeRuns));
    await reconciler.settle(missing, () => this.#outboxStored(hello), this.#ended.signal);
  }

  /** Runs that the worker began after they had been given up here. */
  async #cancelUnwanted(carried: string[]): Promise<void> {
    const { reconciler } = this.#services;
    for (const runId of await reconciler.givenUp(carried)) {
      this.#log.warn({ runId }, "the worker carries a run that has been given up; cancelling it");
      await this.request("run.cancel", { runId }, patienceFor("run.cancel")).catch((err: unknown) =>
        this.#log.warn({ err, runId }, "a run that has been given up was not cancelled"),
      );
    }
  }

  #outboxStored({ outboxLastSeq }: Hello): boolean {
    if (outboxLastSeq !== undefined && this.#storedSeq >= outboxLastSeq) return true;
    const silence = this.#storing ? 0 : Date.now() - this.#lastEventAt;
    return silence > (outboxLastSeq === undefined ? SILENCE_MS.untold : SILENCE_MS.told);
  }

  async #store(): Promise<void> {
    const outboxId = this.#hello?.outboxId;
    if (outboxId === undefined) return;
    this.#storing = true;
    try {
      while (this.#unstored.length > 0) {
        const batch = this.#unstored.splice(0, BATCH);
        const begun = batch.flatMap(({ runId, event }) => (event.type === "started" ? [runId] : []));
        this.#storedSeq = await this.#services.runLog.store(outboxId, batch, this.#firstBatch);
        this.#firstBatch = false;
        this.#send({ type: "ack", seq: this.#storedSeq });
        this.#run(this.#cancelUnwanted(begun));
      }
    } finally {
      this.#storing = false;
    }
  }

  async #answer({ id, method, params }: WorkerMessage & { type: "request" }): Promise<void> {
    try {
      const result = await answerConsoleMethod(this.#services, this.#hostId, method, params);
      this.#send({ type: "reply", id, ok: true, result });
    } catch (error) {
      const told =
        error instanceof FaultError ? error : fault("internal", "The console failed. Its log has the details.");
      if (told !== error) this.#log.error({ err: error, method }, "a request of the command line failed");
      this.#send({ type: "reply", id, ok: false, fault: told.fault });
    }
  }

  #settle({ id, ok, result, fault: told }: WorkerMessage & { type: "reply" }): void {
    const waiting = this.#waiting.get(id);
    if (!waiting) return;
    this.#waiting.delete(id);
    clearTimeout(waiting.timer);
    if (ok) waiting.resolve(result);
    else waiting.reject(told ? new FaultError(told) : fault("internal", "The worker failed without saying why."));
  }

  /** Whatever goes wrong here ends the connection, never the process. */
  #run(work: Promise<void>): void {
    work.catch((error) => {
      this.#log.error({ err: error }, "closing the link");
      this.#socket.close(CLOSE.failed, "the console failed");
    });
  }

  #refuse(reason: string): void {
    this.#log.warn({ reason }, "refusing the worker");
    this.#socket.close(CLOSE.refused, reason);
  }

  #ping(): void {
    if (!this.#answered) {
      this.#socket.terminate();
      return;
    }
    this.#answered = false;
    this.#socket.ping();
  }

  #end(): void {
    this.#ended.abort();
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(fault("unavailable", "The connection to the worker broke.", { code: "OFO-COMM" }));
    }
    this.#waiting.clear();
    if (!this.#welcomed) return;
    this.#log.info("worker disconnected");
    this.#services.hosts
      .disconnected(this.#hostId, this)
      .catch((error) => this.#log.error({ err: error }, "the last contact could not be kept"));
  }

  #send(message: ConsoleMessage): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(JSON.stringify(message));
  }
}

function parse(data: RawData): WorkerMessage | null {
  try {
    return workerMessageSchema.safeParse(JSON.parse(data.toString())).data ?? null;
  } catch {
    return null;
  }
}
