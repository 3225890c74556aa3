import { afterEach, expect, test, vi } from "vitest";
import { SampleHistory } from "@/app/(console)/runs/[id]/sample-history";
import { sample } from "../../fixtures/link-documents";

afterEach(() => vi.unstubAllGlobals());

/** Draws for so long whenever it is told; returns the versions that it drew. */
function drawer(history: SampleHistory, forMs: number): number[] {
  vi.stubGlobal("requestAnimationFrame", (draw: () => void) => setTimeout(draw));
  const drawn: number[] = [];
  history.listen(() => {
    drawn.push(history.version());
    const until = performance.now() + forMs;
    while (performance.now() < until);
  });
  return drawn;
}

async function hear(history: SampleHistory, batches: number, everyMs: number): Promise<void> {
  for (let i = 0; i < batches; i++) {
    history.add([sample("home", new Date(i * 1000))]);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

test("a browser that draws more slowly than it hears draws what has come since once, the newest at the end", async () => {
  const history = new SampleHistory();
  const drawn = drawer(history, 60);
  await hear(history, 30, 20);
  expect(drawn.length).toBeLessThan(15);
  await vi.waitFor(() => expect(drawn.at(-1)).toBe(history.version()));
});

test("one that is quick enough draws what it hears as it comes", async () => {
  const history = new SampleHistory();
  const drawn = drawer(history, 0);
  await hear(history, 10, 100);
  // Where the machine is busy, two may come together.
  expect(drawn.length).toBeGreaterThan(6);
  expect(drawn.length).toBeLessThanOrEqual(10);
});
