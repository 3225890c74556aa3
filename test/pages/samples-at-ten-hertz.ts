/**
 * The console passes a volume's measurements on five times a second; the page is held to twice that. Between browser
 * and console, messages of the samples' subscription are replaced by more of the same kind.
 */
import type { Page, WebSocketRoute } from "@playwright/test";
import superjson from "superjson";
import type { Sample } from "@/server/core/contracts/volume";

/** Returns a function that shows the page a batch; it does nothing before the page has subscribed. */
export async function feedSamples(page: Page): Promise<(samples: (Sample & { hostId: string })[]) => void> {
  let socket: WebSocketRoute | null = null;
  let subscription: number | null = null;
  await page.routeWebSocket(/\/api\/ws/, (route) => {
    const console = route.connectToServer();
    socket = route;
    route.onMessage((message) => {
      for (const one of asList(message)) if (one.params?.path === "runs.samples") subscription = one.id ?? null;
      console.send(message);
    });
    console.onMessage((message) => {
      const ofSamples = asList(message).some((one) => one.id === subscription && one.result?.type === "data");
      if (!ofSamples) route.send(message);
    });
  });
  return (samples) => {
    if (subscription === null) return;
    const result = { type: "data", data: superjson.serialize(samples) };
    socket?.send(JSON.stringify({ id: subscription, jsonrpc: "2.0", result }));
  };
}

type Message = { id?: number; params?: { path?: string }; result?: { type?: string } };

function asList(message: string | Buffer): Message[] {
  const text = message.toString();
  if (!text.startsWith("{") && !text.startsWith("[")) return [];
  const parsed: Message | Message[] = JSON.parse(text);
  return Array.isArray(parsed) ? parsed : [parsed];
}
