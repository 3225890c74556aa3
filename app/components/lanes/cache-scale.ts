import { type LanesData, largestCache } from "./lanes-data";

/**
 * Height of a cache's bytes, one scale for all lanes so that their areas compare. A limit far above what
 * is used would flatten every area to a line: it is then drawn at the upper edge, broken, and says so.
 */
export type CacheScale = {
  height: (bytes: number, room: number) => number;
  limit: (max: number, room: number) => { height: number; beyond: boolean };
};

const FAR = 4;

export function makeCacheScale(data: LanesData): CacheScale {
  const used = Math.max(1, ...data.lanes.map(largestCache));
  const near = data.lanes.map((lane) => lane.cacheMax).filter((max) => max > 0 && max <= used * FAR);
  // In steps, so that a cache that grows does not redraw every lane.
  const top = Math.max(2 ** (Math.ceil(Math.log2(used * 1.05) * 2) / 2), ...near);
  return {
    height: (bytes, room) => (bytes <= 0 ? 0 : Math.max(1.5, Math.min(1, bytes / top) * room)),
    limit: (max, room) => (max > top ? { height: room, beyond: true } : { height: (max / top) * room, beyond: false }),
  };
}
