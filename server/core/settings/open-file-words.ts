/** Values of the Advanced Open File panel in words: of its fields, of what they inherit, and at the command line. */
import type { OpenFileDefaults } from "../contracts/job";
import { formatBytes } from "../text/bytes";
import { formatDuration } from "../text/duration";

type Quiet = OpenFileDefaults["quiet"];
type Cache = OpenFileDefaults["cache"];

export const atTimeoutWords: Record<Quiet["atTimeout"], string> = {
  snapshot: "freeze anyway",
  fail: "fail with OFO-QUIET",
};
export const whenFullWords: Record<Cache["whenFull"], string> = {
  release: "release the snapshot",
  hold: "hold writers",
};
export const noSnapshotWords: Record<OpenFileDefaults["noSnapshot"], string> = {
  fail: "fail the volume",
  readLive: "read it live, warn",
};

/** Without a last part that is nothing: `5 s`, `1 min`. */
export const lengthWords = (ms: number) =>
  formatDuration(ms).replace(/(?:\.0| 0) (s|min)$/, (end, unit) => (end.startsWith(".") ? ` ${unit}` : ""));
export const quietWords = (minimumMs: number) => (minimumMs === 0 ? "do not wait" : lengthWords(minimumMs));
export const sizeWords = (bytes: number | null) => (bytes === null ? "automatic" : formatBytes(bytes));
export const onOffWords = { on: "on", off: "off" };
export const onOff = (on: boolean): "on" | "off" => (on ? "on" : "off");

/** Of an ignored path that is the root of a volume. */
export function wholeVolumeWords({ name, mount }: { name: string; mount: string }): string {
  const what = name === mount ? "a whole volume" : `the whole of ${name}`;
  return `${mount} is ${what}: no write to it counts for the quiet window.`;
}

export function pathsWords(paths: readonly string[]): string {
  return paths.length === 0 ? "none" : paths.length === 1 ? "1 path" : `${paths.length} paths`;
}
