"use client";
import { useSubscription } from "@trpc/tanstack-react-query";
import { useState } from "react";
import type { Link } from "@/app/components/live-indicator";
import { useTRPC } from "@/app/trpc/client";
import { useSocketState } from "@/app/trpc/socket-state";
import type { LiveSample } from "@/server/core/contracts/views";

/** What is kept of a volume: its newest sample, and bytes a second between the last ones. */
export type LiveWrites = { sample: LiveSample; rates: readonly number[] };

export const RATES_KEPT = 40;

export function volumeKey(volume: { hostId: string; name: string }): string {
  return `${volume.hostId}\n${volume.name}`;
}

function take(known: LiveWrites | undefined, sample: LiveSample): LiveWrites {
  if (!known) return { sample, rates: [] };
  const seconds = (Date.parse(sample.at) - Date.parse(known.sample.at)) / 1000;
  if (seconds <= 0) return known;
  const rate = Math.max(0, sample.writeBytes - known.sample.writeBytes) / seconds;
  return { sample, rates: [...known.rates.slice(1 - RATES_KEPT), rate] };
}

/** Write activity of every volume, as it happens. */
export function useLiveWrites() {
  const trpc = useTRPC();
  const socket = useSocketState();
  const [writes, setWrites] = useState<ReadonlyMap<string, LiveWrites>>(new Map());
  const [heardAt, setHeardAt] = useState<number | null>(null);
  useSubscription(
    trpc.live.samples.subscriptionOptions(
      {},
      {
        onData: (samples) => {
          setHeardAt(Date.now());
          setWrites((before) => {
            const after = new Map(before);
            for (const sample of samples) {
              const key = volumeKey({ hostId: sample.hostId, name: sample.volume });
              after.set(key, take(after.get(key), sample));
            }
            return after;
          });
        },
      },
    ),
  );
  const link: Link = socket.open ? "live" : socket.lostAt === null ? "connecting" : "lost";
  return { writes, link, heardAt, lostAt: socket.lostAt };
}
