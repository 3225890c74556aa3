/** Zoom and movement of the lanes: what a person looks at stays where it is, and nothing beyond the run is shown. */
import { expect, test } from "vitest";
import { following, panned, seen, showing, type View, WHOLE, zoomed } from "@/app/components/lanes/view";

const bounds = { from: 1000, to: 101_000 };

test("zooming keeps the time under the pointer at its place", () => {
  const view = zoomed(WHOLE, bounds, null, 0.5, 26_000);
  const { from, to } = seen(view, bounds, null);
  expect(to - from).toBe(50_000);
  expect((26_000 - from) / (to - from)).toBeCloseTo(0.25);
});

test("zooming out ends with everything, zooming in at half a second", () => {
  let view: View = zoomed(WHOLE, bounds, null, 0.5, 100_000);
  expect(zoomed(view, bounds, null, 2)).toEqual(WHOLE);
  for (let i = 0; i < 60; i++) view = zoomed(view, bounds, null, 0.5);
  const { from, to } = seen(view, bounds, null);
  expect(to - from).toBe(500);
});

test("moving stops at the ends", () => {
  const view = zoomed(WHOLE, bounds, null, 0.1, 50_000);
  expect(seen(panned(view, bounds, null, -1e9), bounds, null)).toEqual({ from: 1000, to: 11_000 });
  expect(seen(panned(view, bounds, null, 1e9), bounds, null)).toEqual({ from: 91_000, to: 101_000 });
  expect(panned(WHOLE, bounds, null, 5)).toEqual(WHOLE);
});

test("what follows the present goes on with it, and what was moved stands still", () => {
  const view = following(zoomed(WHOLE, bounds, 60_000, 0.1, 20_000), bounds, 60_000);
  expect(seen(view, bounds, 60_000).to).toBeGreaterThan(60_000);
  expect(seen(view, bounds, 70_000).to - seen(view, bounds, 60_000).to).toBe(10_000);
  const still = panned(view, bounds, 60_000, -5000);
  expect(seen(still, bounds, 90_000)).toEqual(seen(still, bounds, 60_000));
});

test("a cursor that leaves the picture takes it along", () => {
  const view = zoomed(WHOLE, bounds, null, 0.1, 20_000);
  expect(showing(view, bounds, null, 20_000)).toBe(view);
  const { from, to } = seen(showing(view, bounds, null, 60_000), bounds, null);
  expect(from).toBeLessThan(60_000);
  expect(to).toBeGreaterThan(60_000);
});
