"use client";
import { type ReactNode, useEffect, useId, useRef, useState } from "react";
import { useZone } from "../zone";
import { makeCacheScale } from "./cache-scale";
import { makeFrame } from "./frame";
import { LaneView } from "./lane-view";
import { LaneWords } from "./lane-words";
import { LanesCursor } from "./lanes-cursor";
import type { LanesData } from "./lanes-data";
import { LanesExport } from "./lanes-export";
import { Cuts, NowLine, TimeAxis } from "./lanes-frame";
import { LanesLegend } from "./lanes-legend";
import { LanesTable } from "./lanes-table";
import { LanesToolbar } from "./lanes-toolbar";
import { useLanesView } from "./use-lanes-view";
import { largestRate } from "./write-ticks";

/** Drawn at this width on the server, and until the browser has measured. */
const FIRST_WIDTH = 1180;

type LanesProps = {
  data: LanesData;
  /** What the picture shows, in a line; and the name of exported files, without an ending. */
  caption: string;
  fileName: string;
  /** Stands at the end of the legend. */
  aside?: ReactNode;
};

/**
 * The picture that explains the product: time to the right, a lane for each volume, its writes, the quiet
 * window that was waited for, the instant that it was frozen at, and the cache that filled since.
 */
export function Lanes({ data, caption, fileName, aside }: LanesProps) {
  const zone = useZone();
  const holder = useRef<HTMLDivElement>(null);
  const drawing = useRef<SVGSVGElement>(null);
  const clip = useId();
  const control = useLanesView(data);
  const [width, setWidth] = useState<number | null>(null);
  useEffect(() => {
    const element = holder.current;
    if (!element) return;
    // While nothing of the page is laid out there is no width.
    const measure = () => element.clientWidth > 0 && setWidth(Math.round(element.clientWidth));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const frame = makeFrame(data, control.span, width ?? FIRST_WIDTH);
  const maxRate = largestRate(data.lanes);
  const scale = makeCacheScale(data);
  return (
    <div>
      <div className="mb-2 flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
        <div className="flex flex-wrap items-center gap-x-4.5 gap-y-1.5">
          <LanesLegend />
          {aside}
        </div>
        <div className="flex flex-wrap items-center gap-x-2 gap-y-1">
          <LanesToolbar control={control} live={data.now !== null} />
          <LanesExport data={data} drawing={drawing} caption={caption} fileName={fileName} />
        </div>
      </div>
      <div ref={holder} className="relative contain-paint">
        <svg
          ref={drawing}
          width={width ?? "100%"}
          height={width === null ? undefined : frame.height}
          viewBox={`0 0 ${frame.width} ${frame.height}`}
          aria-hidden="true"
          className="block"
        >
          <clipPath id={clip}>
            <rect x={frame.left - 1} y={0} width={frame.right - frame.left + 2} height={frame.height} />
          </clipPath>
          <TimeAxis data={data} frame={frame} zone={zone} />
          <g clipPath={`url(#${clip})`}>
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
          </g>
          <NowLine data={data} frame={frame} />
          <Cuts data={data} frame={frame} />
          {data.lanes.map((lane, index) => (
            <LaneWords key={lane.name} lane={lane} index={index} data={data} frame={frame} />
          ))}
        </svg>
        <LanesCursor data={data} frame={frame} zone={zone} control={control} />
      </div>
      <p className="mt-1 text-mute text-xs pointer-coarse:hidden">
        Ctrl and wheel zoom, drag moves. With the picture in focus: ← → for exact values, + − 0 to zoom.
      </p>
      <LanesTable data={data} zone={zone} span={control.span} />
    </div>
  );
}
