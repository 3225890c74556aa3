/** Cache locations of the hosts that can be asked now. */
import type { Logger } from "pino";
import type { CacheView } from "@/server/core/contracts/views";
import type { Hosts } from "../hosts/hosts";

export class Cache {
  readonly #hosts: Hosts;
  readonly #log: Logger;

  constructor(hosts: Hosts, log: Logger) {
    this.#hosts = hosts;
    this.#log = log;
  }

  /** One host that is asked for and cannot answer is a fault; among all, it is left out. */
  async list(hostId?: string): Promise<CacheView[]> {
    if (hostId !== undefined) return this.#ofHost(hostId);
    const connected = (await this.#hosts.list()).filter((host) => host.connected);
    const answers = await Promise.allSettled(connected.map((host) => this.#ofHost(host.id)));
    return answers.flatMap((answer) => {
      if (answer.status === "fulfilled") return answer.value;
      this.#log.warn({ err: answer.reason }, "a host did not tell its cache locations");
      return [];
    });
  }

  async #ofHost(hostId: string): Promise<CacheView[]> {
    const locations = await this.#hosts.ask(hostId, "cache.list", {});
    return locations.map((location) => ({ ...location, hostId }));
  }
}
