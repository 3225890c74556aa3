/**
 * When somebody last wrote to a volume elsewhere than to its ignored paths, from its engine's reports and from what is
 * found of the changes that they tell.
 *
 * An error may only make a window be missed. What is not known for certain to be a change of an ignored path counts: all
 * that came before a subscription's first report (an engine may have been killed, and its successor knows only when the
 * last write of all was), all that a lost report had told, and all that found no room in one.
 */
import type { QuietReport } from "./quiet-window";

/** When (of the worker's clock), offset and length: one place of the volume that was written to, discarded or zeroed. */
export type VolumeChange = [at: number, offset: number, length: number];

export interface ChangesReport {
  /** Arrival, monotonic. */
  at: number;
  quietMs: number;
  writes: number;
  changes: { number: number; lost: number; changed: readonly [agoMs: number, offset: number, length: number][] } | null;
}

export interface ForeignWrites {
  volume: string;
  /** Of the report that goes on from the newest; null: there was none with changes. */
  next: number | null;
  /** The engine's own count with the newest report. */
  writes: number | null;
  lastAt: number;
  count: number;
}

/** What was found of changes after they were made. */
export interface Found {
  /** How many are not wholly of ignored paths, and when the last of them was. */
  foreign: number;
  foreignAt: number | null;
  /** When another path was last seen to change, long before it may be written back. */
  toldAt: number | null;
}

export function watchForeign(volume: string): ForeignWrites {
  return { volume, next: null, writes: null, lastAt: Number.NEGATIVE_INFINITY, count: 0 };
}

/** The state after one more report, and the changes of it of which is still to be found whose they are. */
export function observeForeign(
  state: ForeignWrites,
  { at, quietMs, writes, changes }: ChangesReport,
): { state: ForeignWrites; open: VolumeChange[] } {
  const next = changes === null ? null : changes.number + 1;
  if (changes !== null && changes.lost === 0 && changes.number > 0 && changes.number === state.next) {
    const open = changes.changed.map(([ago, offset, length]): VolumeChange => [at - ago, offset, length]);
    return { state: { ...state, next, writes }, open };
  }
  const counted = Math.max(0, writes - (state.writes ?? writes));
  const lastAt = Math.max(state.lastAt, at - quietMs);
  return { state: { ...state, next, writes, lastAt, count: state.count + counted }, open: [] };
}

/** The state once it is found whose the open changes are. */
export function settleForeign(state: ForeignWrites, found: Found): ForeignWrites {
  const lastAt = Math.max(state.lastAt, found.foreignAt ?? state.lastAt, found.toldAt ?? state.lastAt);
  const seen = lastAt > state.lastAt ? 1 : 0;
  return { ...state, lastAt, count: state.count + Math.max(found.foreign, seen) };
}

/** For the window: the volume as if nobody had written to its ignored paths, known up to `at`. */
export function foreignReport(state: ForeignWrites, at: number): QuietReport {
  return { volume: state.volume, at, quietMs: at - state.lastAt, writes: state.count };
}
