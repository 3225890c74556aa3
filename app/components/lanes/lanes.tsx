"use client";
import { useEffect, useRef, useState } from "react";
import { useZone } from "../zone";
import { makeCacheScale } from "./cache-scale";
import { makeFrame } from "./frame";
import { LaneView } from "./lane-view";
import { LaneWords } from "./lane-words";
import { LanesCursor } from "./lanes-cursor";
import type { LanesData } from "./lanes-data";
import { Cuts, NowLine, TimeAxis } from "./lanes-frame";
import { LanesTable } from "./lanes-table";
import { largestRate } from "./write-ticks";

/** Drawn at this width on the server, and until the browser has measured. */
const FIRST_WIDTH = 1180;

/**
 * The picture that explains the product: time to the right, a lane for each volume, its writes, the quiet
 * window that was waited for, the instant that it was frozen at, and the cache that filled since.
 */
export function Lanes({ data }: { data: LanesData }) {
  const zone = useZone();
  const holder = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState<number | null>(null);
  useEffect(() => {
    const element = holder.current;
    if (!element) return;
    const measure = () => setWidth(Math.round(element.clientWidth));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const frame = makeFrame(data, width ?? FIRST_WIDTH);
  const maxRate = largestRate(data.lanes);
  const scale = makeCacheScale(data);
  return (
    <div>
      <div ref={holder} className="relative">
        <svg
          width={width ?? "100%"}
          height={width === null ? undefined : frame.height}
          viewBox={`0 0 ${frame.width} ${frame.height}`}
          aria-hidden="true"
          className="block"
        >
          <TimeAxis data={data} frame={frame} zone={zone} />
          {data.lanes.map((lane, index) => (
            <LaneView
              key={lane.name}
              lane={lane}
              index={index}
              data={data}
              frame={frame}
              maxRate={maxRate}
              scale={scale}
            />
          ))}
          <NowLine data={data} frame={frame} />
          <Cuts data={data} frame={frame} />
          {data.lanes.map((lane, index) => (
            <LaneWords key={lane.name} lane={lane} index={index} data={data} frame={frame} />
          ))}
        </svg>
        <LanesCursor data={data} frame={frame} zone={zone} />
      </div>
      <LanesTable data={data} zone={zone} />
    </div>
  );
}
