/** Whether anyone looks at a host's live data: browsers that subscribe, and runs that are on. */
export class Watch {
  readonly #tell: (hostId: string, on: boolean) => void;
  readonly #wanted = new Map<string, number>();
  /** Subscriptions to every host. */
  #everywhere = 0;

  constructor(tell: (hostId: string, on: boolean) => void) {
    this.#tell = tell;
  }

  /** Wants data of one host, or of all those that `hostIds` names now and any later, until the returned function is called. */
  want(hostId: string | null, hostIds: () => string[]): () => void {
    this.#change(hostId, 1, hostIds);
    let done = false;
    return () => {
      if (done) return;
      done = true;
      this.#change(hostId, -1, hostIds);
    };
  }

  isWanted(hostId: string): boolean {
    return this.#everywhere > 0 || (this.#wanted.get(hostId) ?? 0) > 0;
  }

  #change(hostId: string | null, by: 1 | -1, hostIds: () => string[]): void {
    const concerned = hostId === null ? hostIds() : [hostId];
    const before = new Map(concerned.map((id) => [id, this.isWanted(id)]));
    if (hostId === null) this.#everywhere += by;
    else this.#wanted.set(hostId, (this.#wanted.get(hostId) ?? 0) + by);
    for (const id of concerned) if (this.isWanted(id) !== before.get(id)) this.#tell(id, this.isWanted(id));
  }
}
