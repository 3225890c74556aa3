import { formatBytes } from "@/server/core/text/bytes";
import { cn } from "../class-names";
import { formatBytesOf } from "../format";
import { type Frame, type LaneRoom, laneRoom } from "./frame";
import { cacheAt, type Lane, type LanesData, largestCache } from "./lanes-data";

/** Width of a letter of the small type, for choosing the side that has room. */
const LETTER_PX = 7.1;
/** Of "1023 MiB of 1.0 TiB". */
const LONGEST_PX = 19 * LETTER_PX;
/** Letters keep clear of the lines that they cross. */
const HALO = "stroke-panel [paint-order:stroke] [stroke-width:4px] [stroke-linejoin:round]";

type LaneWordsProps = { lane: Lane; index: number; data: LanesData; frame: Frame };

/** What is written in a lane: its name, what its cache holds, or that it waits. Drawn above all lines. */
export function LaneWords({ lane, index, data, frame }: LaneWordsProps) {
  const room = laneRoom(frame, index);
  return (
    <g>
      <LaneName lane={lane} room={room} frame={frame} />
      <CacheWords lane={lane} room={room} data={data} frame={frame} />
      {lane.waiting && (
        <text
          x={frame.xWithin(data.now ?? data.to) + (frame.narrow ? -6 : 8)}
          textAnchor={frame.narrow ? "end" : "start"}
          y={room.cacheBase - 6}
          className={cn("fill-mute font-mono text-[11.5px]", HALO)}
        >
          {lane.waiting}
        </text>
      )}
    </g>
  );
}

function LaneName({ lane, room, frame }: { lane: Lane; room: LaneRoom; frame: Frame }) {
  const most = frame.narrow ? 30 : 19;
  const text = lane.name.length > most ? `…${lane.name.slice(1 - most)}` : lane.name;
  if (frame.narrow)
    return (
      <text x={2} y={room.top + 14} className={cn("fill-ink font-medium text-[13px]", HALO)}>
        {text} <tspan className="fill-mute font-normal text-xs">{lane.detail}</tspan>
      </text>
    );
  return (
    <>
      <text x={0} y={room.writeBase - (frame.dense ? 6 : 12)} className="fill-ink font-medium text-[13px]">
        {text}
      </text>
      <text x={0} y={room.writeBase + (frame.dense ? 10 : 5)} className="fill-mute text-xs">
        {lane.detail}
      </text>
    </>
  );
}

type CacheWordsProps = { lane: Lane; room: LaneRoom; data: LanesData; frame: Frame };

function CacheWords({ lane, room, data, frame }: CacheWordsProps) {
  const { frozenAt } = lane;
  if (frozenAt === null || frozenAt > frame.to) return null;
  const released = lane.released && lane.released.at <= frame.to ? lane.released : null;
  const end = Math.min(data.now ?? data.to, frame.to);
  const used = cacheAt(lane, end);
  const text = released
    ? `${frame.narrow && !released.lost ? "" : `${released.word}, `}held ${formatBytes(largestCache(lane))}`
    : lane.cacheMax > 0
      ? formatBytesOf(used, lane.cacheMax)
      : formatBytes(used);
  const x = frame.xWithin(released?.at ?? end);
  const width = text.length * LETTER_PX;
  // The words of all volumes stand at the same side, however long each one's are.
  const atRight = x + Math.max(width, LONGEST_PX) + 7 > frame.right;
  return (
    <text
      x={atRight ? Math.max(x - 6, frame.left + width) : x + 7}
      y={room.cacheBase + (atRight ? -room.cacheRoom - 5 : -5)}
      textAnchor={atRight ? "end" : "start"}
      className={cn("font-mono text-[11.5px]", released?.lost ? "fill-loss-ink" : "fill-mute", HALO)}
    >
      {text}
    </text>
  );
}
