/**
 * The line between a browser and the console. Measurements come from here, always the same ones at once instead of as
 * they happen to arrive.
 */
import type { BrowserContext, WebSocketRoute } from "@playwright/test";
import superjson from "superjson";
import type { LiveSample } from "@/server/core/contracts/views";
import { Random } from "../../soak/random";
import { type HostName, hosts, volumes } from "./company";
import { NOW, SECOND } from "./moment";

type Message = { id?: number; params?: { path?: string }; result?: { type?: string } };

export class Line {
  readonly #ends = new Set<() => void>();
  #cut = false;
  #mended: () => void = () => {};
  #waiting: Promise<void> = Promise.resolve();

  static async into(context: BrowserContext): Promise<Line> {
    const line = new Line();
    await context.routeWebSocket(/\/api\/ws/, (route) => line.#carry(route));
    return line;
  }

  /** Nothing passes any more: sockets close, new ones do not open until it is mended. */
  cut(): void {
    this.#cut = true;
    this.#waiting = new Promise((resolve) => {
      this.#mended = resolve;
    });
    for (const end of this.#ends) end();
    this.#ends.clear();
  }

  mend(): void {
    this.#cut = false;
    this.#mended();
  }

  async #carry(route: WebSocketRoute): Promise<void> {
    // A socket that is routed counts as open as soon as this ends.
    if (this.#cut) {
      await this.#waiting;
      await route.close();
      return;
    }
    const console = route.connectToServer();
    this.#ends.add(() => {
      void console.close();
      void route.close({ code: 4000, reason: "the line was cut" });
    });
    const measurements = new Set<number>();
    route.onMessage((message) => {
      for (const { id, params } of asList(message))
        if (id !== undefined && params?.path === "live.samples") measurements.add(id);
      console.send(message);
    });
    console.onMessage((message) => {
      const [one] = asList(message);
      if (one?.id === undefined || !measurements.has(one.id)) return route.send(message);
      if (one.result?.type === "data") return;
      route.send(message);
      const result = { type: "data", data: superjson.serialize(measured) };
      if (one.result?.type === "started") route.send(JSON.stringify({ id: one.id, jsonrpc: "2.0", result }));
    });
  }
}

function asList(message: string | Buffer): Message[] {
  const text = message.toString();
  if (!text.startsWith("{") && !text.startsWith("[")) return [];
  const parsed: Message | Message[] = JSON.parse(text);
  return Array.isArray(parsed) ? parsed : [parsed];
}

/** The last forty seconds of each volume that is attached. */
const measured: LiveSample[] = (["db01", "web01"] satisfies HostName[]).flatMap((host) =>
  volumes[host].filter(({ state }) => state === "attached").flatMap(({ name }) => ofVolume(hosts[host].id, name)),
);

function ofVolume(hostId: string, volume: string): LiveSample[] {
  const random = new Random("live", volume);
  const rests = volume === "/srv/www";
  let writes = 100;
  return Array.from({ length: 41 }, (_, i): LiveSample => {
    if (!rests && random.chance(0.7)) writes += random.whole(4, 300);
    const at = new Date(NOW - (40 - i) * SECOND).toISOString();
    const quietMs = rests ? 40 * SECOND : 0;
    return {
      ...{ hostId, volume, at, writes, writeBytes: writes * 16_384, reads: 0, readBytes: 0, lastWriteAt: at, quietMs },
      ...{ cacheUsedBytes: 0, cacheReservedBytes: 0, cacheMaxBytes: 0, preservedBlocks: 0, skippedFreeBlocks: 0 },
      openSnapshots: 0,
    };
  });
}
