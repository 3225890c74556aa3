"use client";
import { useSyncExternalStore } from "react";

/** The one WebSocket of the page: `lostAt` is set while it is down though something on the page needs it. */
export type SocketState = { open: boolean; lostAt: number | null };

let state: SocketState = { open: false, lostAt: null };
const listeners = new Set<() => void>();

function set(next: SocketState) {
  state = next;
  for (const listener of listeners) listener();
}

export const socketState = {
  opened: () => set({ open: true, lostAt: null }),
  // It is also closed because nothing needs it any more.
  closed: () => set({ open: false, lostAt: listeners.size === 0 ? null : (state.lostAt ?? Date.now()) }),
};

const closedAtFirst: SocketState = { open: false, lostAt: null };

export function useSocketState(): SocketState {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => state,
    () => closedAtFirst,
  );
}
