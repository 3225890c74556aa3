import { useState } from "react";
import type { CacheScale } from "./cache-scale";
import { type Frame, type LaneRoom, laneRoom } from "./frame";
import { cachePoints, type Lane, type LanePoint, type LanesData, pointsBetween } from "./lanes-data";
import { WriteTicks } from "./write-ticks";

const STEP_PX = 0.4;

type LaneViewProps = {
  lane: Lane;
  index: number;
  data: LanesData;
  frame: Frame;
  maxRate: number;
  scale: CacheScale;
};

/** One lane: the quiet window, write ticks, and underneath the cache with its limit. Its words: `lane-words.tsx`. */
export function LaneView({ lane, index, data, frame, maxRate, scale }: LaneViewProps) {
  const room = laneRoom(frame, index);
  const { x } = frame;
  const [drawer] = useState(() => new WriteTicks());
  const ticks = drawer.draw(lane, frame, maxRate, room.writeRoom);
  return (
    <g>
      <line
        x1={frame.left}
        x2={frame.right}
        y1={room.top + frame.laneHeight - 8}
        y2={room.top + frame.laneHeight - 8}
        stroke="var(--line)"
      />
      {lane.quiet && lane.quiet.to >= frame.from && lane.quiet.from <= frame.to && (
        <rect
          x={Math.max(x(lane.quiet.from), frame.left - 4)}
          width={Math.max(
            2,
            Math.min(x(lane.quiet.to), frame.right + 4) - Math.max(x(lane.quiet.from), frame.left - 4),
          )}
          y={room.writeBase - room.writeRoom - 4}
          height={room.writeRoom + 4}
          fill="var(--quiet)"
          stroke="var(--accent)"
          strokeOpacity={0.45}
        />
      )}
      <g transform={`translate(${ticks.x} ${room.writeBase})`} stroke="var(--write)" strokeWidth={1.6} fill="none">
        {ticks.paths.map(({ key, d }) => (
          <path key={key} d={d} />
        ))}
      </g>
      <CacheArea lane={lane} room={room} data={data} frame={frame} scale={scale} />
    </g>
  );
}

type CacheAreaProps = { lane: Lane; room: LaneRoom; data: LanesData; frame: Frame; scale: CacheScale };

function CacheArea({ lane, room, data, frame, scale }: CacheAreaProps) {
  const { frozenAt, released } = lane;
  if (frozenAt === null) return null;
  const { x } = frame;
  const end = released?.at ?? data.now ?? data.to;
  const y = (bytes: number) => room.cacheBase - scale.height(bytes, room.cacheRoom);
  const points = pointsBetween(cachePoints(lane), frame.from, Math.min(frame.to, end));
  const before = points[0] && points[0].at < frame.from;
  const last = points.at(-1)?.cacheUsed ?? 0;
  const outline = steps(points, y)
    .map((point) => `L${x(point.at).toFixed(1)} ${y(point.cacheUsed).toFixed(1)}`)
    .join("");
  const start = before ? x(points[0]?.at ?? frozenAt) : x(frozenAt);
  const top = `M${start.toFixed(1)} ${room.cacheBase}${outline}L${x(end).toFixed(1)} ${y(last).toFixed(1)}`;
  const until = released ? released.at : Math.max(end, data.expectedEnd ?? end);
  const ahead = { from: Math.max(x(end), frame.left - 20), to: Math.min(x(until), frame.right + 20) };
  return (
    <g>
      <path d={`${top}V${room.cacheBase}Z`} fill="var(--cache)" opacity={0.42} />
      <path d={top} stroke="var(--cache)" fill="none" />
      {!released && ahead.to > ahead.from && (
        <path
          d={`M${ahead.from} ${y(last)}H${ahead.to}`}
          stroke="var(--cache)"
          strokeDasharray="3 4"
          fill="none"
          opacity={0.8}
        />
      )}
      {lane.cacheMax > 0 && <Limit lane={lane} room={room} frame={frame} scale={scale} from={frozenAt} to={until} />}
    </g>
  );
}

/** The points that a person could tell from a straight line: few, for a cache that only grows. */
function steps(points: readonly LanePoint[], y: (bytes: number) => number): LanePoint[] {
  const kept: LanePoint[] = [];
  let drawn = Number.NaN;
  for (const [i, point] of points.entries()) {
    const height = y(point.cacheUsed);
    if (Math.abs(height - drawn) < STEP_PX && i < points.length - 1) continue;
    const before = points[i - 1];
    if (before && before !== kept.at(-1)) kept.push(before);
    kept.push(point);
    drawn = height;
  }
  return kept;
}

function Limit({
  lane,
  room,
  frame,
  scale,
  from,
  to,
}: {
  lane: Lane;
  room: LaneRoom;
  frame: Frame;
  scale: CacheScale;
  from: number;
  to: number;
}) {
  const limit = scale.limit(lane.cacheMax, room.cacheRoom);
  const y = room.cacheBase - limit.height;
  const x1 = Math.max(frame.x(from), frame.left - 20);
  const x2 = Math.min(Math.max(frame.x(to), x1 + 12), frame.right + 20);
  // A limit far above the scale is drawn with a break, and its label says it is not at its height.
  const path = limit.beyond && x2 - x1 > 30 ? `M${x1} ${y}H${x1 + 10}l3 -4l5 8l3 -4H${x2}` : `M${x1} ${y}H${x2}`;
  return <path d={path} stroke="var(--loss)" strokeDasharray="5 4" fill="none" opacity={0.8} />;
}
