import { constants } from "node:os";

/** Signals that end a command, kept from ending this process before it has released. */
export class Interruption {
  received: "SIGINT" | "SIGTERM" | "SIGHUP" | null = null;
  private readonly listeners = new Set<(signal: NodeJS.Signals) => void>();
  private readonly handler = (signal: NodeJS.Signals): void => {
    this.received ??= signal as "SIGINT" | "SIGTERM" | "SIGHUP";
    for (const listener of this.listeners) listener(signal);
  };

  constructor() {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, this.handler);
  }

  /** Calls back for each signal from now on; the returned function ends that. */
  subscribe(listener: (signal: NodeJS.Signals) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  get exitCode(): number | null {
    return this.received === null ? null : 128 + constants.signals[this.received];
  }

  dispose(): void {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.off(signal, this.handler);
  }
}
