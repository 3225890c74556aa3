import type { CacheScale } from "./cache-scale";
import { type Frame, type LaneRoom, laneRoom } from "./frame";
import { cachePoints, type Lane, type LanesData } from "./lanes-data";
import { ticksPath, writeTicks } from "./write-ticks";

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
  const ticks = ticksPath(writeTicks(lane, x, maxRate, room.writeRoom), room.writeBase);
  return (
    <g>
      <line
        x1={frame.left}
        x2={frame.right}
        y1={room.top + frame.laneHeight - 8}
        y2={room.top + frame.laneHeight - 8}
        stroke="var(--line)"
      />
      {lane.quiet && (
        <rect
          x={x(lane.quiet.from)}
          width={Math.max(2, x(lane.quiet.to) - x(lane.quiet.from))}
          y={room.writeBase - room.writeRoom - 4}
          height={room.writeRoom + 4}
          fill="var(--quiet)"
          stroke="var(--accent)"
          strokeOpacity={0.45}
        />
      )}
      <path d={ticks} stroke="var(--write)" strokeWidth={1.6} fill="none" />
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
  const points = cachePoints(lane);
  const y = (bytes: number) => room.cacheBase - scale.height(bytes, room.cacheRoom);
  const last = points.at(-1)?.cacheUsed ?? 0;
  const outline = points.map((point) => `L${x(point.at).toFixed(1)} ${y(point.cacheUsed).toFixed(1)}`).join("");
  const area = `M${x(frozenAt)} ${room.cacheBase}${outline}L${x(end)} ${y(last)}V${room.cacheBase}Z`;
  const until = released ? released.at : Math.max(end, data.expectedEnd ?? end);
  return (
    <g>
      <path d={area} fill="var(--cache)" opacity={0.42} />
      <path d={`M${x(frozenAt)} ${room.cacheBase}${outline}L${x(end)} ${y(last)}`} stroke="var(--cache)" fill="none" />
      {!released && until > end && (
        <path
          d={`M${x(end)} ${y(last)}H${x(until)}`}
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
  const x1 = frame.x(from);
  const x2 = Math.max(frame.x(to), x1 + 12);
  // A limit far above the scale is drawn with a break, and its label says it is not at its height.
  const path = limit.beyond && x2 - x1 > 30 ? `M${x1} ${y}H${x1 + 10}l3 -4l5 8l3 -4H${x2}` : `M${x1} ${y}H${x2}`;
  return <path d={path} stroke="var(--loss)" strokeDasharray="5 4" fill="none" opacity={0.8} />;
}
