"use client";
import { Unplug } from "lucide-react";
import { cn } from "./class-names";
import { formatAgo } from "./format";
import { formatTime } from "./time";
import { useNow, useZone } from "./zone";

export type Link = "connecting" | "live" | "lost" | "ended";

type LiveIndicatorProps = {
  link: Link;
  /** When something was last heard, by this browser's clock. */
  heardAt: number | null;
  /** When the link dropped. */
  lostAt: number | null;
  className?: string;
};

/** Whether what is on the page is true now, and if not, since when. */
export function LiveIndicator({ link, heardAt, lostAt, className }: LiveIndicatorProps) {
  const now = useNow(100);
  const zone = useZone();
  const silence = now === null || heardAt === null ? null : Math.max(0, now - heardAt);
  // A host may report only every 5 s while it rests: that is not silence yet.
  const stale = link === "live" && silence !== null && silence > 12_000;
  if (link === "ended") return null;
  if (link === "lost" || stale) {
    const since = lostAt ?? heardAt;
    return (
      <span role="status" className={cn("inline-flex items-center gap-1.5 text-[0.8125rem] text-mute", className)}>
        <Unplug className="size-3.5" aria-hidden />
        {since === null ? "Not connected" : `No news since ${formatTime(since, "clock", zone)}`}, reconnecting
      </span>
    );
  }
  return (
    <span className={cn("inline-flex items-center gap-2 text-[0.8125rem] text-accent", className)}>
      <span
        aria-hidden
        className="size-1.75 rounded-full bg-accent shadow-[0_0_0_4px_color-mix(in_srgb,var(--accent)_20%,transparent)]"
      />
      {link === "connecting" ? "Connecting" : silence === null ? "Live" : `Live, ${heard(silence)}`}
    </span>
  );
}

function heard(ms: number): string {
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s ago` : formatAgo(ms);
}
