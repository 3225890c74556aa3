"use client";
import { useRef } from "react";

/**
 * For a dialog that is opened by a state and not by a trigger of its own: when it closes the focus goes back to what
 * had it, or, where that is gone, to the page's content. Spread over the dialog's content.
 */
export function useFocusReturn() {
  const opener = useRef<Element | null>(null);
  return {
    onOpenAutoFocus: () => {
      opener.current = document.activeElement;
    },
    onCloseAutoFocus: (event: Event) => {
      event.preventDefault();
      const there = opener.current?.isConnected && opener.current !== document.body ? opener.current : null;
      const target = there ?? document.getElementById("content");
      if (target instanceof HTMLElement) target.focus({ preventScroll: there === null });
    },
  };
}
