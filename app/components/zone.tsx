"use client";
import { createContext, type ReactNode, useContext, useEffect, useState, useSyncExternalStore } from "react";
import { ZONE_COOKIE } from "./zone-cookie";

const ZoneContext = createContext("UTC");

export function ZoneProvider({ initial, children }: { initial: string; children: ReactNode }) {
  const [zone, setZone] = useState(initial);
  useEffect(() => {
    const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
    // biome-ignore lint/suspicious/noDocumentCookie: CookieStore is not in every browser, and this is no secret
    document.cookie = `${ZONE_COOKIE}=${encodeURIComponent(own)}; path=/; max-age=31536000; samesite=lax`;
    setZone(own);
  }, []);
  return <ZoneContext.Provider value={zone}>{children}</ZoneContext.Provider>;
}

export function useZone(): string {
  return useContext(ZoneContext);
}

/** A clock that ticks while it is looked at; null on the server and in the first paint. */
export function useNow(intervalMs: number): number | null {
  const subscribe = (changed: () => void) => {
    const timer = setInterval(changed, intervalMs);
    return () => clearInterval(timer);
  };
  return useSyncExternalStore(
    subscribe,
    () => Math.floor(Date.now() / intervalMs) * intervalMs,
    () => null,
  );
}
