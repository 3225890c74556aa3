/** Wakes whoever waits for news. It carries no data: the woken look at the state itself, so nothing can be missed. */
export class Topic {
  readonly #listeners = new Set<(key: string) => void>();

  announce(key: string): void {
    for (const listener of [...this.#listeners]) listener(key);
  }

  /** Calls back at every announcement until the returned function is called. */
  listen(listener: (key: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * A bell for a loop: `rung()` resolves at once if an announcement that `wanted` accepts came since it was last
   * asked, else at the next one, and with false when the signal aborts or `withinMs` passes.
   */
  bell(wanted: (key: string) => boolean, signal: AbortSignal | undefined): Bell {
    let ringing = false;
    let wake = () => {};
    const stop = this.listen((key) => {
      if (!wanted(key)) return;
      ringing = true;
      wake();
    });
    const aborted = () => wake();
    signal?.addEventListener("abort", aborted);
    return {
      rung: async (withinMs) => {
        if (!ringing && !signal?.aborted) {
          await new Promise<void>((resolve) => {
            const timer = withinMs === undefined ? undefined : setTimeout(resolve, withinMs);
            wake = () => {
              clearTimeout(timer);
              resolve();
            };
          });
        }
        const heard = ringing;
        ringing = false;
        return heard && !signal?.aborted;
      },
      stop: () => {
        stop();
        signal?.removeEventListener("abort", aborted);
      },
    };
  }
}

export type Bell = { rung: (withinMs?: number) => Promise<boolean>; stop: () => void };
