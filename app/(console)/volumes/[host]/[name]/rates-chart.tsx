"use client";
import { useState } from "react";
import { formatRate } from "@/app/components/format";
import { formatTime } from "@/app/components/time";
import { useZone } from "@/app/components/zone";
import type { RateHistory } from "@/server/core/contracts/history";

const HEIGHT = 160;
const WIDTH = 1000;
const TOP = 8;

/** Steps over time, one for each point; a value under the pointer, or under a cursor that the arrow keys move. */
export function RatesChart({ rates: { points, pointMs }, fine }: { rates: RateHistory; fine: boolean }) {
  const zone = useZone();
  const [at, setAt] = useState<number | null>(null);
  const most = Math.max(1, ...points.map((point) => point.bytesPerSecond ?? 0));
  const x = (index: number) => (index / points.length) * WIDTH;
  const y = (rate: number) => HEIGHT - (rate / most) * (HEIGHT - TOP);
  const style = pointMs >= 86_400_000 ? "date" : fine ? "clock" : "day";
  const say = (index: number) => {
    const point = points[index];
    if (!point) return "";
    const rate = point.bytesPerSecond === null ? "not measured" : formatRate(point.bytesPerSecond);
    return `${formatTime(point.atMs, style, zone)}: ${rate}`;
  };
  const ends = [points[0], points[points.length - 1]];
  const shown = at ?? points.length - 1;
  return (
    <div>
      <div className="flex justify-between gap-3 font-mono text-mute text-xs">
        <span>{formatRate(most)}</span>
        <span aria-hidden className="text-ink">
          {at !== null && say(at)}
        </span>
      </div>
      <div className="relative mt-1">
        <svg
          aria-hidden="true"
          viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
          preserveAspectRatio="none"
          className="block h-40 w-full overflow-visible"
        >
          <path d={`M0 ${HEIGHT}H${WIDTH}`} stroke="var(--edge)" vectorEffect="non-scaling-stroke" />
          {stretches(points).map(({ first, values }) => {
            const line = values.map((rate, i) => `V${y(rate).toFixed(1)}H${x(first + i + 1).toFixed(1)}`).join("");
            return (
              <g key={first}>
                <path d={`M${x(first).toFixed(1)} ${HEIGHT}${line}V${HEIGHT}Z`} fill="var(--write)" opacity={0.22} />
                <path
                  d={`M${x(first).toFixed(1)} ${y(values[0] ?? 0).toFixed(1)}${line}`}
                  fill="none"
                  stroke="var(--write)"
                  strokeWidth={1.5}
                  vectorEffect="non-scaling-stroke"
                />
              </g>
            );
          })}
          {at !== null && (
            <path
              d={`M${x(at + 0.5)} 0V${HEIGHT}`}
              stroke="var(--ink)"
              opacity={0.6}
              vectorEffect="non-scaling-stroke"
            />
          )}
        </svg>
        <input
          type="range"
          aria-label="Time in the chart"
          aria-valuetext={say(shown)}
          min={0}
          max={points.length - 1}
          value={shown}
          onChange={(event) => setAt(Number(event.target.value))}
          onPointerMove={(event) => {
            const share = event.nativeEvent.offsetX / Math.max(1, event.currentTarget.clientWidth);
            setAt(Math.min(points.length - 1, Math.max(0, Math.floor(share * points.length))));
          }}
          onPointerLeave={() => setAt(null)}
          onBlur={() => setAt(null)}
          className="peer absolute inset-0 h-full w-full cursor-crosshair touch-pan-y opacity-0"
        />
        <div className="pointer-events-none absolute inset-0 rounded outline-accent outline-offset-4 peer-focus-visible:outline-2" />
      </div>
      <div aria-hidden className="mt-1 flex justify-between font-mono text-mute text-xs">
        {ends.map((point, i) => (
          <span key={i === 0 ? "first" : "last"}>{point && formatTime(point.atMs, style, zone)}</span>
        ))}
      </div>
    </div>
  );
}

/** Measured points that follow each other. */
function stretches(points: RateHistory["points"]): { first: number; values: number[] }[] {
  const found: { first: number; values: number[] }[] = [];
  for (const [index, { bytesPerSecond }] of points.entries()) {
    if (bytesPerSecond === null) continue;
    const last = found[found.length - 1];
    if (last && last.first + last.values.length === index) last.values.push(bytesPerSecond);
    else found.push({ first: index, values: [bytesPerSecond] });
  }
  return found;
}
