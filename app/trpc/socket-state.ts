"use client";
import { useSyncExternalStore } from "react";

/** The one WebSocket of the page: `lostAt` is set while it is down after having been up. */
export type SocketState = { open: boolean; lostAt: number | null };

let state: SocketState = { open: false, lostAt: null };
const listeners = new Set<() => void>();

function set(next: SocketState) {
  state = next;
  for (const listener of listeners) listener();
}

export const socketState = {
  opened: () => set({ open: true, lostAt: null }),
  closed: () => set({ open: false, lostAt: state.open ? Date.now() : state.lostAt }),
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
