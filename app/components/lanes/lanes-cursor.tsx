"use client";
import { useState } from "react";
import type { Frame } from "./frame";
import type { LanesData } from "./lanes-data";
import { readAt, sayReading } from "./reading";

const KEY_STEPS = 200;

type LanesCursorProps = { data: LanesData; frame: Frame; zone: string };

/**
 * Exact values under the pointer, or under a cursor that the arrow keys move. The control is an invisible
 * range input over the picture: it brings keyboard, touch and a spoken value along.
 */
export function LanesCursor({ data, frame, zone }: LanesCursorProps) {
  const [at, setAt] = useState<number | null>(null);
  const reading = at === null ? null : readAt(data, at, zone);
  const x = at === null ? 0 : frame.x(at);
  const bottom = frame.top + frame.laneHeight * data.lanes.length;
  const onRight = x < (frame.left + frame.right) / 2;
  const spoken = readAt(data, at ?? data.now ?? data.to, zone);
  return (
    <>
      <input
        type="range"
        aria-label="Time in the picture"
        aria-valuetext={sayReading(spoken)}
        min={data.from}
        max={data.to}
        step={Math.max(1, Math.round((data.to - data.from) / KEY_STEPS))}
        value={at ?? data.now ?? data.to}
        onChange={(event) => setAt(Number(event.target.value))}
        onPointerMove={(event) => setAt(frame.time(event.nativeEvent.offsetX + frame.left))}
        onPointerLeave={() => setAt(null)}
        onBlur={() => setAt(null)}
        className="peer absolute top-0 cursor-crosshair touch-pan-y opacity-0"
        style={{ left: frame.left, width: frame.right - frame.left, height: bottom }}
      />
      <div className="pointer-events-none absolute inset-0 rounded-lg outline-accent outline-offset-4 peer-focus-visible:outline-2" />
      {reading && (
        <>
          <div
            aria-hidden
            className="pointer-events-none absolute w-px bg-ink/60"
            style={{ left: x, top: 8, height: bottom - 8 }}
          />
          <div
            aria-hidden
            className="pointer-events-none absolute z-10 w-max max-w-[min(22rem,85vw)] rounded-lg border border-line bg-panel px-3 py-2 text-xs shadow-pop"
            style={{
              top: 30,
              ...(frame.narrow ? { left: 0 } : onRight ? { left: x + 12 } : { right: frame.width - x + 12 }),
            }}
          >
            <p className="mb-1 font-mono text-frozen-ink">{reading.time}</p>
            <dl className="space-y-1">
              {reading.lanes.map((lane) => (
                <div key={lane.name}>
                  <dt className="font-medium">{lane.name}</dt>
                  <dd className="font-mono text-mute">
                    writes {lane.writes}
                    <br />
                    cache {lane.cache}
                  </dd>
                </div>
              ))}
            </dl>
          </div>
        </>
      )}
    </>
  );
}
