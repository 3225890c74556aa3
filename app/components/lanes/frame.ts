import type { LanesData } from "./lanes-data";

/** Where things are, in pixels. On a narrow screen a lane's name stands above it instead of at its left. */
export type Frame = {
  width: number;
  height: number;
  narrow: boolean;
  left: number;
  right: number;
  top: number;
  laneHeight: number;
  x: (at: number) => number;
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

export function makeFrame(data: LanesData, width: number): Frame {
  const narrow = width < 640;
  const left = narrow ? 2 : 150;
  const right = narrow ? 2 : 14;
  const top = 24;
  const laneHeight = narrow ? 152 : 126;
  const span = Math.max(1, data.to - data.from);
  const room = Math.max(1, width - left - right);
  return {
    width,
    height: top + laneHeight * data.lanes.length + AXIS_HEIGHT,
    narrow,
    left,
    right: width - right,
    top,
    laneHeight,
    x: (at) => left + ((Math.min(Math.max(at, data.from), data.to) - data.from) / span) * room,
    time: (x) => data.from + (Math.min(Math.max(x - left, 0), room) / room) * span,
  };
}

export function laneRoom(frame: Frame, index: number): LaneRoom {
  const top = frame.top + index * frame.laneHeight;
  const shift = frame.narrow ? 30 : 0;
  return {
    top,
    labelBase: index === 0 && !frame.narrow ? top - 8 : top + shift + 6,
    writeBase: top + shift + 44,
    writeRoom: frame.narrow ? 26 : 30,
    cacheBase: top + shift + 108 - (frame.narrow ? 4 : 0),
    cacheRoom: frame.narrow ? 36 : 42,
  };
}
