/**
 * The worker's side of the link (`contracts/link.ts`): dials the console, says hello, delivers events until they are
 * acknowledged, sends live data at the rate that is wanted, answers requests and asks for the command line.
 * It mends itself: the console may come and go at any moment, and no run notices.
 */
import { readFile } from "node:fs/promises";
import { hostname, release } from "node:os";
import { WebSocket } from "ws";
import {
  type ConsoleMessage,
  consoleMessageSchema,
  type Fault,
  LINK_PROTOCOL,
  type WorkerMessage,
  workerFeatures,
} from "@/server/core/contracts/link";
import type { Volume } from "@/server/core/contracts/volume";
import { localZone, now, pause } from "../clock";
import type { EngineWatch } from "../engine/engine-watch";
import { codedFault, FaultError, toFault } from "../fault";
import { log } from "../log";
import type { Places } from "../places";
import type { ActivityWatch } from "../telemetry/activity-watch";
import { workerVersion } from "../version";
import type { KnownVolumes } from "../volumes/known-volumes";
import type { Outbox } from "./outbox";
import { sampleOf } from "./sample";

const PING_MS = 15_000;
const TICK_MS = 100;
const VOLUMES_MS = 3000;
const ASK_TIMEOUT_MS = 120_000;
/** A restore takes as long as its files are large. */
const RESTORE_TIMEOUT_MS = 24 * 3_600_000;
/** Every how many ticks samples go out: watched, during a run, else. */
const EVERY = { watched: 1, running: 2, idle: 50 } as const;

export interface LinkDuties {
  /** Runs a host method for the console. */
  answer: (method: string, params: unknown) => Promise<unknown>;
  listVolumes: () => Promise<Volume[]>;
  activeRuns: () => string[];
  activity: ActivityWatch;
}

interface Asked {
  done: (result: unknown) => void;
  fail: (error: Error) => void;
  timer: NodeJS.Timeout;
}

export class ConsoleLink {
  private socket: WebSocket | null = null;
  private welcomed = false;
  private watched = false;
  private lastContactAt: string | null = null;
  private lastVolumes = "";
  private nextId = 1;
  private readonly asked = new Map<number, Asked>();
  private readonly stopped = new AbortController();
  /** Leases on the fast rate while someone looks, by the watch that gave them. */
  private readonly fast = new Map<EngineWatch, () => void>();

  constructor(
    private readonly url: string,
    private readonly places: Places,
    private readonly outbox: Outbox,
    private readonly known: KnownVolumes,
    private readonly duties: LinkDuties,
  ) {
    outbox.onEntry((entry) => this.welcomed && this.send({ type: "event", ...entry }));
  }

  /** Dials until `stop`. */
  async run(): Promise<void> {
    let failures = 0;
    while (!this.stopped.signal.aborted) {
      const since = Date.now();
      const reason = await this.connectOnce().catch((error: unknown) => error);
      failures = this.welcomedSince(since) ? 0 : failures + 1;
      if (this.stopped.signal.aborted) return;
      if (failures <= 1) log.info({ reason: String(reason) }, "the link to the console is down");
      const backoff = Math.min(10_000, 250 * 2 ** Math.min(failures, 6));
      await pause(backoff * (0.75 + Math.random() / 2), this.stopped.signal);
    }
  }

  stop(): void {
    this.stopped.abort();
    this.socket?.close();
  }

  /** Waits until the console has all events, at most `timeoutMs`. */
  async drain(timeoutMs: number): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (this.welcomed && this.outbox.after(0).length > 0 && Date.now() < deadline) await pause(20);
  }

  /** Asks the console (`contracts/console-methods.ts`). Throws OFO-COMM when it cannot be reached. */
  ask(method: string, params: unknown): Promise<unknown> {
    if (!this.welcomed) return Promise.reject(this.unreachable());
    const id = this.nextId++;
    return new Promise((done, fail) => {
      const timer = setTimeout(
        () => {
          this.asked.delete(id);
          fail(this.unreachable());
        },
        method.startsWith("restore.") ? RESTORE_TIMEOUT_MS : ASK_TIMEOUT_MS,
      );
      this.asked.set(id, { done, fail, timer });
      this.send({ type: "request", id, method, params });
    });
  }

  unreachable(): FaultError {
    return consoleUnreachable(this.url, this.lastContactAt);
  }

  private welcomedSince(time: number): boolean {
    return this.lastContactAt !== null && Date.parse(this.lastContactAt) >= time;
  }

  /** One connection's life; resolves with the reason of its end. */
  private async connectOnce(): Promise<string> {
    const key = (await readFile(this.places.hostKey, "utf8")).trim();
    const socket = new WebSocket(`${this.url}/api/worker`, {
      headers: { authorization: `Bearer ${key}` },
      handshakeTimeout: 10_000,
      maxPayload: 64 * 1024 * 1024,
    });
    this.socket = socket;
    let alive = true;
    let ticks = 0;
    const beat = setInterval(() => {
      if (!alive) socket.terminate();
      alive = false;
      if (socket.readyState === WebSocket.OPEN) socket.ping();
    }, PING_MS);
    const tick = setInterval(() => {
      this.sendSamples(ticks++);
      this.sendActivity();
    }, TICK_MS);
    const list = setInterval(() => void this.tellVolumes(), VOLUMES_MS);
    try {
      return await new Promise<string>((done) => {
        socket.on("open", () => this.hello());
        socket.on("pong", () => {
          alive = true;
        });
        socket.on("message", (data) => {
          alive = true;
          this.receive(String(data));
        });
        socket.on("error", (error) => done(error.message));
        socket.on("close", (code) => done(`closed with ${code}`));
      });
    } finally {
      for (const timer of [beat, tick, list]) clearInterval(timer);
      socket.terminate();
      this.disconnected();
    }
  }

  private hello(): void {
    this.send({
      type: "hello",
      protocol: LINK_PROTOCOL,
      outboxId: this.outbox.outboxId,
      outboxLastSeq: this.outbox.durableSeq,
      hostname: hostname(),
      version: workerVersion(),
      kernel: release(),
      timeZone: localZone(),
      activeRuns: this.duties.activeRuns(),
      supports: [...workerFeatures],
    });
  }

  private receive(text: string): void {
    let message: ConsoleMessage;
    try {
      message = consoleMessageSchema.parse(JSON.parse(text));
    } catch (err) {
      log.warn({ err }, "the console sent a message that is not understood");
      return;
    }
    this.lastContactAt = now();
    switch (message.type) {
      case "welcome":
        this.outbox.acknowledge(message.lastSeq);
        this.welcomed = true;
        this.lastVolumes = "";
        for (const entry of this.outbox.after(message.lastSeq)) this.send({ type: "event", ...entry });
        void this.tellVolumes();
        return;
      case "ack":
        this.outbox.acknowledge(message.seq);
        return;
      case "watch":
        this.setWatched(message.on);
        return;
      case "request":
        void this.reply(message.id, message.method, message.params);
        return;
      case "reply":
        this.replied(message.id, message.ok, message.result, message.fault);
    }
  }

  private async reply(id: number, method: string, params: unknown): Promise<void> {
    try {
      this.send({ type: "reply", id, ok: true, result: await this.duties.answer(method, params) });
    } catch (error) {
      const fault = toFault(error);
      if (fault.kind === "internal") log.error({ err: error, method }, "a request of the console failed");
      this.send({ type: "reply", id, ok: false, fault });
    }
    void this.tellVolumes();
  }

  private replied(id: number, ok: boolean, result: unknown, fault: Fault | undefined): void {
    const asked = this.asked.get(id);
    if (asked === undefined) return;
    this.asked.delete(id);
    clearTimeout(asked.timer);
    if (ok) {
      asked.done(result);
      return;
    }
    const { kind, message, field, code, evidence } = fault ?? { ...toFault(null), evidence: undefined };
    const detail = { ...(field && { field }), ...(code && { code }), ...(evidence && { evidence }) };
    asked.fail(new FaultError(kind, message, detail));
  }

  private setWatched(on: boolean): void {
    this.watched = on;
    this.leaseFast();
  }

  /** All engines report fast while someone looks, also those that were attached meanwhile. */
  private leaseFast(): void {
    const wanted = new Set(this.watched ? this.known.allAttached().map((v) => v.watch) : []);
    for (const [watch, release] of this.fast) {
      if (wanted.has(watch)) continue;
      release();
      this.fast.delete(watch);
    }
    for (const watch of wanted) if (!this.fast.has(watch)) this.fast.set(watch, watch.fast());
  }

  private sendSamples(tick: number): void {
    const every = this.watched ? EVERY.watched : this.duties.activeRuns().length > 0 ? EVERY.running : EVERY.idle;
    if (!this.welcomed || tick % every !== 0) return;
    this.leaseFast();
    // Live data is latest-wins: a console that does not keep up misses some.
    if ((this.socket?.bufferedAmount ?? 0) > 1024 * 1024) return;
    const samples = this.known.allAttached().flatMap(({ record, watch }) => {
      return watch.latest === null || !watch.reachable ? [] : [sampleOf(record.name, watch.latest)];
    });
    if (samples.length > 0) this.send({ type: "samples", samples });
  }

  private sendActivity(): void {
    const volumes = this.welcomed ? this.duties.activity.taken() : [];
    if (volumes.length > 0) this.send({ type: "activity", zone: localZone(), volumes });
  }

  /** Sends the list of volumes if it changed: every few seconds, and at once after a change that was asked for. */
  async tellVolumes(): Promise<void> {
    if (!this.welcomed) return;
    try {
      const volumes = await this.duties.listVolumes();
      const text = JSON.stringify(volumes);
      if (text === this.lastVolumes || !this.welcomed) return;
      this.lastVolumes = text;
      this.send({ type: "volumes", volumes });
    } catch (err) {
      log.warn({ err }, "the volumes cannot be listed");
    }
  }

  private disconnected(): void {
    this.welcomed = false;
    this.socket = null;
    this.setWatched(false);
    for (const { fail, timer } of this.asked.values()) {
      clearTimeout(timer);
      fail(this.unreachable());
    }
    this.asked.clear();
  }

  private send(message: WorkerMessage): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }
}

/** OFO-COMM for a console that this worker cannot reach, or has none. */
export function consoleUnreachable(url: string | null, lastContactAt: string | null): FaultError {
  const message = url === null ? "this worker has no console" : `the console at ${url} cannot be reached`;
  return codedFault("unavailable", "OFO-COMM", message, {
    subject: "worker",
    volume: null,
    lastContactAt,
    processState: "running",
    exitStatus: null,
    logLines: [],
    versions: { console: null, worker: workerVersion(), engine: null },
    socket: null,
  });
}
