import { Card } from "@/app/components/card";
import { formatRate, plural } from "@/app/components/format";
import type { CacheView } from "@/server/core/contracts/views";
import type { Filling } from "@/server/core/planning/time-until-full";
import { formatBytes } from "@/server/core/text/bytes";
import { formatDuration } from "@/server/core/text/duration";

type CacheCardProps = { cache: CacheView; hostName: string; filling: Filling | null };

/** One location: the disk it lies on, and what caches take of it. */
export function CacheCard({ cache, hostName, filling }: CacheCardProps) {
  const others = Math.max(0, cache.totalBytes - cache.freeBytes - cache.reservedBytes);
  const parts = [
    { name: "used by caches", bytes: cache.usedBytes, fill: "bg-cache" },
    { name: "reserved for caches", bytes: Math.max(0, cache.reservedBytes - cache.usedBytes), fill: "bg-cache/40" },
    { name: "other files", bytes: others, fill: "bg-edge" },
    { name: "free", bytes: cache.freeBytes, fill: "bg-line" },
  ];
  return (
    <Card>
      <div className="mb-3 flex flex-wrap items-baseline justify-between gap-x-4">
        <h2 className="wrap-anywhere font-mono font-semibold text-[0.8125rem]">{cache.path}</h2>
        <span className="text-mute text-xs">
          {hostName}, on the disk of {cache.mount}
        </span>
      </div>
      <div className="flex h-3 gap-px overflow-hidden rounded-full bg-line" aria-hidden>
        {parts.map((part) => (
          <div
            key={part.name}
            className={part.fill}
            style={{
              width: `${(part.bytes / Math.max(1, cache.totalBytes)) * 100}%`,
              minWidth: part.bytes > 0 ? 2 : 0,
            }}
          />
        ))}
      </div>
      <dl className="mt-3 grid gap-x-6 gap-y-1.5 xs:grid-cols-2">
        {parts.map((part) => (
          <div key={part.name} className="flex items-center justify-between gap-3">
            <dt className="flex items-center gap-2 text-[0.8125rem] text-mute">
              <span aria-hidden className={`size-2.5 rounded-xs border border-edge/50 ${part.fill}`} />
              {part.name}
            </dt>
            <dd className="font-mono text-xs">{formatBytes(part.bytes)}</dd>
          </div>
        ))}
      </dl>
      {filling && cache.snapshots.length > 0 && (
        <p className="mt-3 text-[0.8125rem]">
          <b className="font-medium">Full in about {formatDuration(filling.fullInMs)}</b>
          <span className="text-mute"> if it goes on filling with {formatRate(filling.bytesPerSecond)}.</span>
        </p>
      )}
      <p className="wrap-anywhere mt-3 border-line border-t pt-2.5 text-[0.8125rem] text-mute">
        {cache.snapshots.length === 0
          ? "No snapshot keeps anything here now."
          : `${plural(cache.snapshots.length, "open snapshot")}: ${cache.snapshots.join(", ")}`}
      </p>
    </Card>
  );
}
