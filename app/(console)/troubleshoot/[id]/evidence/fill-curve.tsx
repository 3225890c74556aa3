"use client";
import { formatTime } from "@/app/components/time";
import { useZone } from "@/app/components/zone";
import type { FailureDetail } from "@/server/core/contracts/views";
import { evidenceByCode } from "@/server/core/errors/evidence";
import { formatBytes } from "@/server/core/text/bytes";

const WIDTH = 600;
const BASE = 150;
const ROOM = 118;

/** How the cache filled until its snapshot was released. */
export function FillCurve({ failure }: { failure: FailureDetail }) {
  const zone = useZone();
  if (failure.code !== "a000851c") return null;
  const { data } = evidenceByCode.a000851c.safeParse(failure.evidence);
  const curve = data?.curve ?? [];
  const first = curve[0];
  const last = curve.at(-1);
  if (!data || !first || !last || curve.length < 2) return null;
  const start = Date.parse(first.at);
  const span = Math.max(1, Date.parse(last.at) - start);
  const top = Math.max(data.maxBytes ?? 0, ...curve.map((point) => point.usedBytes), 1) * 1.08;
  const x = (at: string) => 8 + ((Date.parse(at) - start) / span) * (WIDTH - 150);
  const y = (bytes: number) => BASE - (bytes / top) * ROOM;
  const line = curve
    .map((point, index) => `${index ? "L" : "M"}${x(point.at).toFixed(1)} ${y(point.usedBytes).toFixed(1)}`)
    .join("");
  const end = x(last.at);
  const words = `The cache filled from ${formatBytes(first.usedBytes)} to ${formatBytes(last.usedBytes)} between ${formatTime(first.at, "clock", zone)} and ${formatTime(last.at, "clock", zone)}${data.maxBytes ? `; ${formatBytes(data.maxBytes)} were allowed` : ""}.`;
  return (
    <figure className="mt-4">
      <svg viewBox={`0 0 ${WIDTH} 176`} className="w-full" role="img" aria-label={words}>
        <line x1={8} x2={WIDTH} y1={BASE} y2={BASE} stroke="var(--line)" />
        <path d={`${line}V${BASE}H${x(first.at)}Z`} fill="var(--cache)" opacity={0.4} />
        <path d={line} fill="none" stroke="var(--cache)" strokeWidth={1.5} />
        {data.maxBytes && (
          <>
            <line
              x1={8}
              x2={WIDTH}
              y1={y(data.maxBytes)}
              y2={y(data.maxBytes)}
              stroke="var(--loss)"
              strokeDasharray="6 4"
            />
            <text
              x={WIDTH}
              y={y(data.maxBytes) - 7}
              textAnchor="end"
              className="fill-loss-ink font-mono text-[12px] max-sm:text-[21px]"
            >
              {formatBytes(data.maxBytes)} allowed
            </text>
          </>
        )}
        <line x1={end} x2={end} y1={BASE - ROOM - 12} y2={BASE} stroke="var(--loss)" />
        <text y={BASE - 48} className="fill-loss-ink font-mono text-[12px] max-sm:text-[21px]">
          <tspan x={end + 7}>{formatTime(last.at, "clock", zone)}</tspan>
          <tspan x={end + 7} dy="1.3em">
            released
          </tspan>
        </text>
        <text x={8} y={BASE + 20} className="fill-mute font-mono text-[12px] max-sm:text-[21px]">
          {formatTime(first.at, "clock", zone)}
        </text>
      </svg>
    </figure>
  );
}
