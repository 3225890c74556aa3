/** The host's clocks. */

/** Wall clock, as contracts write it. */
export function now(): string {
  return new Date().toISOString();
}

/** Milliseconds of a clock that never jumps. */
export function monotonicMs(): number {
  return performance.now();
}

/** The host's time zone, e.g. `Europe/Berlin`. */
export function localZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** Waits, or ends early when the signal aborts. Never rejects. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal?.aborted) return done();
    const timer = setTimeout(finish, ms);
    function finish(): void {
      clearTimeout(timer);
      signal?.removeEventListener("abort", finish);
      done();
    }
    signal?.addEventListener("abort", finish);
  });
}
