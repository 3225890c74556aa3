import type { LanesData } from "./lanes-data";
import type { Span } from "./view";

/** Where things are, in pixels. On a narrow screen a lane's name stands above it instead of at its left. */
export type Frame = {
  width: number;
  height: number;
  narrow: boolean;
  /** Many lanes stand closer. */
  dense: boolean;
  /** The times that are seen. */
  from: number;
  to: number;
  left: number;
  right: number;
  top: number;
  laneHeight: number;
  /** Below `left` or beyond `right` for a time that is not seen. */
  x: (at: number) => number;
  /** The same, held at the edges. */
  xWithin: (at: number) => number;
  time: (x: number) => number;
};

export type LaneRoom = {
  /** Upper edge of the lane. */
  top: number;
  /** Where the label of its frozen instant stands. */
  labelBase: number;
  /** Where write ticks stand. */
  writeBase: number;
  writeRoom: number;
  /** Where the cache's area stands. */
  cacheBase: number;
  cacheRoom: number;
};

const AXIS_HEIGHT = 44;
/** More lanes than this are drawn closer. */
const ROOMY_LANES = 6;

/** Measures of a lane from its upper edge. A narrow one has its name above. */
const rooms = {
  wide: { height: 126, writeBase: 44, writeRoom: 30, cacheBase: 108, cacheRoom: 42 },
  wideDense: { height: 84, writeBase: 29, writeRoom: 20, cacheBase: 74, cacheRoom: 26 },
  narrow: { height: 152, writeBase: 74, writeRoom: 26, cacheBase: 134, cacheRoom: 36 },
  narrowDense: { height: 112, writeBase: 54, writeRoom: 20, cacheBase: 98, cacheRoom: 26 },
};

function roomsOf({ narrow, dense }: { narrow: boolean; dense: boolean }) {
  if (narrow) return dense ? rooms.narrowDense : rooms.narrow;
  return dense ? rooms.wideDense : rooms.wide;
}

export function makeFrame(data: LanesData, { from, to }: Span, width: number): Frame {
  const narrow = width < 640;
  const dense = data.lanes.length > ROOMY_LANES;
  const left = narrow ? 2 : 150;
  const right = width - (narrow ? 2 : 14);
  const top = 24;
  const laneHeight = roomsOf({ narrow, dense }).height;
  const span = Math.max(1, to - from);
  const room = Math.max(1, right - left);
  const x = (at: number) => left + ((at - from) / span) * room;
  return {
    width,
    height: top + laneHeight * data.lanes.length + AXIS_HEIGHT,
    narrow,
    dense,
    from,
    to,
    left,
    right,
    top,
    laneHeight,
    x,
    xWithin: (at) => Math.min(Math.max(x(at), left), right),
    time: (px) => from + (Math.min(Math.max(px - left, 0), room) / room) * span,
  };
}

export function laneRoom(frame: Frame, index: number): LaneRoom {
  const { height: _, writeBase, writeRoom, cacheBase, cacheRoom } = roomsOf(frame);
  const top = frame.top + index * frame.laneHeight;
  const nameAbove = frame.narrow ? (frame.dense ? 24 : 30) : 0;
  return {
    top,
    labelBase: index === 0 && !frame.narrow ? top - 8 : top + nameAbove + 6,
    writeBase: top + writeBase,
    writeRoom,
    cacheBase: top + cacheBase,
    cacheRoom,
  };
}
