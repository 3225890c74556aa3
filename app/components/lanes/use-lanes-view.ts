"use client";
import { useState } from "react";
import type { LanesData } from "./lanes-data";
import { following, panned, seen, showing, type View, WHOLE, zoomed } from "./view";

const STEP = 0.5;

/** The part of the time that is looked at, and everything that changes it. */
export function useLanesView(data: LanesData) {
  const [view, setView] = useState<View>(WHOLE);
  const { now } = data;
  const bounds = { from: data.from, to: data.to };
  return {
    view,
    span: seen(view, bounds, now),
    /** By a factor, around a time; without one around the middle. */
    zoom: (factor: number, at?: number) => setView((before) => zoomed(before, bounds, now, factor, at)),
    closer: (at?: number) => setView((before) => zoomed(before, bounds, now, STEP, at)),
    farther: (at?: number) => setView((before) => zoomed(before, bounds, now, 1 / STEP, at)),
    pan: (byMs: number) => setView((before) => panned(before, bounds, now, byMs)),
    show: (at: number) => setView((before) => showing(before, bounds, now, at)),
    whole: () => setView(WHOLE),
    follow: () => setView((before) => following(before, bounds, now)),
  };
}

export type LanesView = ReturnType<typeof useLanesView>;
