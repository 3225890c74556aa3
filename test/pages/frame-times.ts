/**
 * What frames cost, from the browser's own trace. A frame is a sixtieth of a second in which something was painted;
 * its cost is the time that the page's main thread was busy in it: by the clock, and by the processor, which other
 * programs on the machine do not lengthen.
 */
import type { Page } from "@playwright/test";

const FRAME_US = 1_000_000 / 60;
const CATEGORIES = ["toplevel", "devtools.timeline", "disabled-by-default-devtools.timeline", "__metadata"];

type TraceEvent = {
  name: string;
  ph: string;
  ts: number;
  dur?: number;
  tdur?: number;
  pid: number;
  tid: number;
  args?: { name?: string };
};

/** Milliseconds; the first two have a value for each painted frame. */
export type FrameTimes = { mainMs: number[]; processorMs: number[]; intervalMs: number[] };

/** Watches the page for some time. */
export async function frameTimes(page: Page, forMs: number): Promise<FrameTimes> {
  const session = await page.context().newCDPSession(page);
  const events: TraceEvent[] = [];
  session.on("Tracing.dataCollected", ({ value }) => events.push(...(value as unknown as TraceEvent[])));
  const complete = new Promise<void>((resolve) => session.once("Tracing.tracingComplete", () => resolve()));
  await session.send("Tracing.start", {
    traceConfig: { includedCategories: CATEGORIES },
    transferMode: "ReportEvents",
  });
  const intervalMs = await page.evaluate<number[]>(`new Promise((resolve) => {
    const times = [];
    const begun = performance.now();
    requestAnimationFrame(function frame(at) {
      times.push(at);
      if (at - begun < ${forMs}) requestAnimationFrame(frame);
      else resolve(times.slice(1).map((time, i) => time - times[i]));
    });
  })`);
  await session.send("Tracing.end");
  await complete;
  await session.detach();
  return { ...costs(events), intervalMs };
}

function costs(events: readonly TraceEvent[]): Omit<FrameTimes, "intervalMs"> {
  const mains = events.filter((event) => event.name === "thread_name" && event.args?.name === "CrRendererMain");
  const busiest = mains
    .map(({ pid, tid }) => events.filter((event) => event.pid === pid && event.tid === tid))
    .sort((a, b) => b.length - a.length)[0];
  const busy = new Map<number, { clock: number; processor: number }>();
  const painted = new Set<number>();
  for (const { name, ts, dur = 0, tdur = dur } of busiest ?? []) {
    const frame = Math.floor(ts / FRAME_US);
    if (name === "Paint") painted.add(frame);
    if (name !== "RunTask") continue;
    const { clock, processor } = busy.get(frame) ?? { clock: 0, processor: 0 };
    busy.set(frame, { clock: clock + dur / 1000, processor: processor + tdur / 1000 });
  }
  const frames = [...painted].map((frame) => busy.get(frame) ?? { clock: 0, processor: 0 });
  return { mainMs: frames.map(({ clock }) => clock), processorMs: frames.map(({ processor }) => processor) };
}
