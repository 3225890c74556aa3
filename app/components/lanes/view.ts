/** Which part of the time is looked at. Pure: the same for wheel, fingers, keys and buttons. */

export type Span = { from: number; to: number };

/**
 * `whole`: everything, growing with a live run. `window`: stands still while the run goes on. `follow`: so many
 * milliseconds up to the present.
 */
export type View = { kind: "whole" } | ({ kind: "window" } & Span) | { kind: "follow"; spanMs: number };

export const WHOLE: View = { kind: "whole" };
const SHORTEST_MS = 500;
/** As good as everything: shares of shares do not add up exactly. */
const ALL_SHARE = 0.999;
/** Room ahead of the present while it is followed, as a share of the span. */
const AHEAD = 0.06;

/** What is seen: `now` is null once the run has ended. */
export function seen(view: View, bounds: Span, now: number | null): Span {
  if (view.kind === "whole") return bounds;
  if (view.kind === "window") return { from: view.from, to: view.to };
  const to = (now ?? bounds.to) + view.spanMs * AHEAD;
  return { from: to - view.spanMs, to };
}

/** Zooms by a factor (below 1: closer) so that the time `at` stays where it is. All there is becomes `whole`. */
export function zoomed(view: View, bounds: Span, now: number | null, factor: number, at?: number): View {
  const span = seen(view, bounds, now);
  const ms = Math.max(SHORTEST_MS, (span.to - span.from) * factor);
  if (ms >= (bounds.to - bounds.from) * ALL_SHARE) return WHOLE;
  if (view.kind === "follow" && at === undefined) return { kind: "follow", spanMs: ms };
  const anchor = at ?? (span.from + span.to) / 2;
  const share = (anchor - span.from) / Math.max(1, span.to - span.from);
  return moved({ from: anchor - share * ms, to: anchor + (1 - share) * ms }, bounds, 0);
}

/** Moves by milliseconds, within what there is. */
export function panned(view: View, bounds: Span, now: number | null, byMs: number): View {
  return view.kind === "whole" ? view : moved(seen(view, bounds, now), bounds, byMs);
}

/** Moves as little as is needed to see a time. */
export function showing(view: View, bounds: Span, now: number | null, at: number): View {
  const { from, to } = seen(view, bounds, now);
  if (at >= from && at <= to) return view;
  const edge = (to - from) * 0.1;
  return moved({ from, to }, bounds, at < from ? at - from - edge : at - to + edge);
}

/** The present at the right edge. What shows everything shows the present too. */
export function following(view: View, bounds: Span, now: number | null): View {
  const { from, to } = seen(view, bounds, now);
  return view.kind === "whole" ? view : { kind: "follow", spanMs: to - from };
}

function moved({ from, to }: Span, bounds: Span, byMs: number): View {
  const by = Math.min(Math.max(byMs, bounds.from - from), Math.max(bounds.to - to, bounds.from - from));
  return { kind: "window", from: from + by, to: to + by };
}
