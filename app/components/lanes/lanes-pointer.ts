"use client";
import { type PointerEvent, type RefObject, useEffect, useRef } from "react";
import type { Frame } from "./frame";
import type { LanesView } from "./use-lanes-view";

/** Zoom of one notch of a wheel, as a power of e for each pixel that it would scroll. */
const WHEEL = 0.0022;
const LINE_PX = 16;

/** `y`: below the upper edge of the picture. */
type Hover = (at: number | null, y: number) => void;

/**
 * Wheel, drag and two fingers on the picture. A plain wheel scrolls the page; with Ctrl, ⌘ or Alt (and so by a pinch on
 * a touchpad) it zooms where the pointer is, sideways or with Shift it moves. One finger up and down scrolls the page.
 */
export function useLanesPointer(
  surface: RefObject<HTMLDivElement | null>,
  frame: Frame,
  control: LanesView,
  hover: Hover,
) {
  const fingers = useRef(new Map<number, number>());
  const msPerPx = (frame.to - frame.from) / Math.max(1, frame.right - frame.left);
  const latest = useRef({ frame, control, msPerPx });
  latest.current = { frame, control, msPerPx };

  useEffect(() => {
    const element = surface.current;
    if (!element) return;
    const turn = (event: WheelEvent) => {
      const { frame: at, control: to, msPerPx: scale } = latest.current;
      const px = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_PX : 1;
      if (event.ctrlKey || event.metaKey || event.altKey) {
        event.preventDefault();
        to.zoom(Math.exp(event.deltaY * px * WHEEL), at.time(event.offsetX + at.left));
        return;
      }
      const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
      if (to.view.kind === "whole" || Math.abs(sideways) < Math.abs(event.shiftKey ? 0 : event.deltaY)) return;
      event.preventDefault();
      to.pan(sideways * px * scale);
    };
    // React listens passively, and then the page would zoom as well.
    element.addEventListener("wheel", turn, { passive: false });
    return () => element.removeEventListener("wheel", turn);
  }, [surface]);

  const place = (event: PointerEvent) => event.clientX - event.currentTarget.getBoundingClientRect().left + frame.left;
  const height = (event: PointerEvent) => event.clientY - event.currentTarget.getBoundingClientRect().top;
  return {
    onPointerDown: (event: PointerEvent) => {
      if (event.button !== 0) return;
      event.currentTarget.setPointerCapture(event.pointerId);
      fingers.current.set(event.pointerId, place(event));
    },
    onPointerMove: (event: PointerEvent) => {
      const x = place(event);
      const before = fingers.current.get(event.pointerId);
      const other = [...fingers.current].find(([id]) => id !== event.pointerId)?.[1];
      if (before === undefined) {
        hover(frame.time(x), height(event));
        return;
      }
      fingers.current.set(event.pointerId, x);
      hover(other === undefined && control.view.kind === "whole" ? frame.time(x) : null, height(event));
      if (other === undefined) control.pan((before - x) * msPerPx);
      else
        control.zoom(
          Math.max(8, Math.abs(before - other)) / Math.max(8, Math.abs(x - other)),
          frame.time((x + other) / 2),
        );
    },
    onPointerUp: (event: PointerEvent) => {
      fingers.current.delete(event.pointerId);
      hover(frame.time(place(event)), height(event));
    },
    onPointerCancel: (event: PointerEvent) => {
      fingers.current.delete(event.pointerId);
      hover(null, 0);
    },
    onPointerLeave: (event: PointerEvent) => {
      if (!fingers.current.has(event.pointerId) && event.pointerType === "mouse") hover(null, 0);
    },
  };
}
