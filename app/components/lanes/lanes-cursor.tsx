"use client";
import { type KeyboardEvent, useId, useRef, useState } from "react";
import { formatTime } from "../time";
import type { Frame } from "./frame";
import { type LanesData, measuredNear, measuredNext } from "./lanes-data";
import { useLanesPointer } from "./lanes-pointer";
import { readAt, sayReading } from "./reading";
import { ReadingCard } from "./reading-card";
import type { LanesView } from "./use-lanes-view";

const PAN_SHARE = 0.15;
const PAGE_SHARE = 0.1;

type LanesCursorProps = { data: LanesData; frame: Frame; zone: string; control: LanesView };

/**
 * Exact values under the pointer, or under a cursor that the keys move from measurement to measurement. For the keys
 * there is an invisible range input, whose value is the place of a measurement: it is announced as it changes.
 */
export function LanesCursor({ data, frame, zone, control }: LanesCursorProps) {
  const surface = useRef<HTMLDivElement>(null);
  const helpId = useId();
  const [at, setAt] = useState<number | null>(null);
  const [lane, setLane] = useState<number | null>(null);
  const [pointed, setPointed] = useState(0);
  const [focused, setFocused] = useState(false);
  const last = data.now ?? data.to;
  const reading = at === null ? null : readAt(data, at, zone);
  const hover = (time: number | null, y: number) => {
    setAt(time === null ? null : measuredNear(data, time));
    setPointed(Math.min(data.lanes.length - 1, Math.max(0, Math.floor((y - frame.top) / frame.laneHeight))));
  };
  const pointer = useLanesPointer(surface, frame, control, hover);
  const bottom = frame.top + frame.laneHeight * data.lanes.length;
  const seen = at !== null && at >= frame.from && at <= frame.to;

  const stand = (time: number | null) => {
    if (time === null) return;
    setAt(time);
    control.show(time);
  };
  const press = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { key } = event;
    if (pressed(key, event.shiftKey, at ?? undefined, frame, control)) event.preventDefault();
    else if (key in standings) stand(standings[key]?.(data, at ?? last) ?? null);
    else if (key === "Escape") setAt(null);
    else if (key === "ArrowUp") setLane(nextLane(lane, -1, data.lanes.length));
    else if (key === "ArrowDown") setLane(nextLane(lane, 1, data.lanes.length));
    else return;
    event.preventDefault();
  };
  return (
    <>
      <input
        type="range"
        aria-label="Time in the picture"
        aria-describedby={helpId}
        aria-valuetext={
          reading || focused ? sayReading(reading ?? readAt(data, last, zone), lane) : formatTime(last, "clock", zone)
        }
        min={data.from}
        max={data.to}
        step="any"
        value={at ?? last}
        // Keys are taken above; what else moves it (a finger with a screen reader) means one step.
        onChange={(event) => stand(measuredNext(data, at ?? last, Number(event.target.value) > (at ?? last) ? 1 : -1))}
        onKeyDown={press}
        onFocus={() => setFocused(true)}
        onBlur={() => {
          setFocused(false);
          setAt(null);
        }}
        className="peer pointer-events-none absolute top-0 opacity-0"
        style={{ left: frame.left, width: frame.right - frame.left, height: bottom }}
      />
      <span id={helpId} hidden>
        Left and right: from measurement to measurement. Up and down: one volume or all. Plus, minus and zero: zoom.
        With Shift, left and right move the picture.
      </span>
      <div
        ref={surface}
        className={`absolute top-0 touch-pan-y select-none ${control.view.kind === "whole" ? "cursor-crosshair" : "cursor-grab active:cursor-grabbing"}`}
        style={{ left: frame.left, width: frame.right - frame.left, height: bottom }}
        {...pointer}
      />
      <div className="pointer-events-none absolute inset-0 rounded-lg outline-accent outline-offset-4 peer-focus-visible:outline-2" />
      {reading && seen && <ReadingCard reading={reading} lane={lane} pointed={pointed} frame={frame} bottom={bottom} />}
    </>
  );
}

/** Where a key puts the cursor. */
const standings: Record<string, (data: LanesData, at: number) => number | null> = {
  ArrowLeft: (data, at) => measuredNext(data, at, -1),
  ArrowRight: (data, at) => measuredNext(data, at, 1),
  PageUp: (data, at) => measuredNear(data, at + (data.to - data.from) * PAGE_SHARE),
  PageDown: (data, at) => measuredNear(data, at - (data.to - data.from) * PAGE_SHARE),
  Home: (data) => measuredNear(data, data.from),
  End: (data) => measuredNear(data, data.to),
};

/** What a key does to the part that is seen; false: nothing. */
function pressed(key: string, shift: boolean, at: number | undefined, frame: Frame, control: LanesView): boolean {
  const step = (frame.to - frame.from) * PAN_SHARE;
  if (key === "+" || key === "=") control.closer(at);
  else if (key === "-") control.farther(at);
  else if (key === "0") control.whole();
  else if (shift && key === "ArrowLeft") control.pan(-step);
  else if (shift && key === "ArrowRight") control.pan(step);
  else return false;
  return true;
}

/** All, the first, …, the last, and all again. */
function nextLane(lane: number | null, by: 1 | -1, count: number): number | null {
  const place = ((lane ?? -1) + 1 + by + count + 1) % (count + 1);
  return place === 0 ? null : place - 1;
}
