/** Scheduled starts whose time has come and that cannot be yet: what was in their way when they were last tried. */
export type Obstacle = { dueAt: Date; kind: "unreachable" | "busy"; message: string };

export class WaitingStarts {
  /** By job. What is not in here was never tried by this process. */
  readonly #obstacles = new Map<string, Obstacle>();

  of(jobId: string): Obstacle | undefined {
    return this.#obstacles.get(jobId);
  }

  set(jobId: string, obstacle: Obstacle): void {
    this.#obstacles.set(jobId, obstacle);
  }

  settle(jobId: string): void {
    this.#obstacles.delete(jobId);
  }
}
