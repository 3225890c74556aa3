/**
 * Keeps one subscription to an attached volume's engine, mends it when it breaks, and remembers the newest report.
 * The interval follows demand: whoever needs 10 reports a second holds a lease on the fast rate.
 */
import { now, pause } from "../clock";
import { log } from "../log";
import { EngineClient, EngineGone, EngineRefused, type ReleasedEvent } from "./client";
import type { EngineMethods, Report } from "./protocol.gen";

const FAST_MS = 100;
const SLOW_MS = 5000;
/** An engine that is being replaced is back after one or two attempts; so many take a second and a half. */
const SILENT = 5;
/** While it stays silent its silence is told again after so many attempts more, half a minute. */
const SILENT_AGAIN = 15;

export interface WatchListener {
  /** `asked`: on request, out of the subscription's row; its longest gap is that since attach. */
  report?: (report: Report, asked: boolean) => void;
  released?: (event: ReleasedEvent) => void;
}

export class EngineWatch {
  latest: Report | null = null;
  /** The process that answered last, known from the first word on; `latest` comes with the first report. */
  process: { pid: number; version: string } | null = null;
  /** When the engine was last heard of. */
  lastContactAt: string | null = null;
  private client: EngineClient | null = null;
  private readonly listeners = new Set<WatchListener>();
  private fastLeases = 0;
  private changesLeases = 0;
  private failures = 0;
  private readonly stopped = new AbortController();
  private wake: AbortController = new AbortController();

  constructor(
    readonly volume: string,
    private readonly socketPath: string,
    /** The engine does not answer, and should have been replaced by now. */
    private readonly silent: () => void,
  ) {
    void this.keepConnected();
  }

  /** Whether the last attempt to reach the engine went well. */
  get reachable(): boolean {
    return this.failures === 0;
  }

  listen(listener: WatchListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** 10 reports a second until the returned function is called; `changes`: they say where it was written to. */
  fast({ changes = false } = {}): () => void {
    this.fastLeases += 1;
    if (changes) this.changesLeases += 1;
    if (this.fastLeases === 1 || (changes && this.changesLeases === 1)) this.resubscribe();
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.fastLeases -= 1;
      if (changes) this.changesLeases -= 1;
      if (this.fastLeases === 0 || (changes && this.changesLeases === 0)) this.resubscribe();
    };
  }

  /** One request on a connection of its own. Waits a moment for an engine that is being restarted. */
  async request<M extends keyof EngineMethods>(
    method: M,
    params: EngineMethods[M]["params"],
    timeoutMs?: number,
  ): Promise<EngineMethods[M]["result"]> {
    const client = await this.openPatiently();
    try {
      return await client.request(method, params, timeoutMs);
    } finally {
      client.close();
    }
  }

  /** Asks for a report now. */
  async describe(): Promise<Report> {
    const report = await this.request("describe", {});
    this.accept(report, true);
    return report;
  }

  stop(): void {
    this.stopped.abort();
    this.wake.abort();
    this.client?.close();
  }

  private async openPatiently(): Promise<EngineClient> {
    const deadline = Date.now() + 3000;
    for (;;) {
      try {
        return this.meet(await EngineClient.open(this.socketPath));
      } catch (error) {
        if (!(error instanceof EngineGone) || Date.now() > deadline) throw error;
        await pause(100, this.stopped.signal);
      }
    }
  }

  private async keepConnected(): Promise<void> {
    while (!this.stopped.signal.aborted) {
      try {
        await this.followOnce();
      } catch (error) {
        this.failures += 1;
        if (this.failures === SILENT) log.warn({ volume: this.volume, err: error }, "the engine does not answer");
        if (this.failures % SILENT_AGAIN === SILENT && !this.stopped.signal.aborted) this.silent();
        await pause(Math.min(2000, 50 * 2 ** Math.min(this.failures, 6)), this.stopped.signal);
      }
    }
  }

  /** One connection's life. Returns when the wanted rate changed; throws when the engine went away. */
  private async followOnce(): Promise<void> {
    const wake = new AbortController();
    this.wake = wake;
    let gone = false;
    const client = await EngineClient.open(this.socketPath, {
      report: (report) => this.accept(report, false),
      released: (event) => {
        for (const listener of this.listeners) listener.released?.(event);
      },
      closed: () => {
        gone = true;
        wake.abort();
      },
    });
    try {
      this.meet(client);
      await this.subscribe(client);
      this.client = client;
      this.failures = 0;
      if (!wake.signal.aborted) await new Promise((done) => wake.signal.addEventListener("abort", done));
      if (gone && !this.stopped.signal.aborted) throw new EngineGone("the engine closed its socket");
    } finally {
      this.client = null;
      client.close();
    }
  }

  private async subscribe(client: EngineClient): Promise<void> {
    const intervalMs = this.fastLeases > 0 ? FAST_MS : SLOW_MS;
    if (this.changesLeases > 0) {
      try {
        await client.request("subscribe", { intervalMs, changes: true });
        return;
      } catch (error) {
        // An engine from before there was such a thing goes on serving; it reports without.
        if (!(error instanceof EngineRefused)) throw error;
      }
    }
    await client.request("subscribe", { intervalMs });
  }

  private meet(client: EngineClient): EngineClient {
    this.process = client.engine;
    this.lastContactAt = now();
    return client;
  }

  private resubscribe(): void {
    this.wake.abort();
  }

  private accept(report: Report, asked: boolean): void {
    this.latest = report;
    this.process = report;
    this.lastContactAt = now();
    for (const listener of this.listeners) listener.report?.(report, asked);
  }
}
