/** The fields of the Advanced Open File panel that a job can inherit: which of two sets differ, and who inherits them. */
import type { JobOpenFile, OpenFileDefaults, OpenFileDefaultsChange } from "../contracts/job";

type Panel = JobOpenFile | OpenFileDefaults;

const names = [
  "quiet.minimumMs",
  "quiet.timeoutMs",
  "quiet.atTimeout",
  "quiet.ignorePaths",
  "cache.initialBytes",
  "cache.maxBytes",
  "cache.skipFreeBlocks",
  "cache.whenFull",
  "cache.holdMs",
  "noSnapshot",
] as const;
export type PanelField = (typeof names)[number];

function fieldOf(panel: Panel, field: PanelField): unknown {
  const [part, key] = field.split(".") as ["quiet" | "cache" | "noSnapshot", string | undefined];
  return key === undefined ? panel[part] : (panel[part] as Record<string, unknown>)[key];
}

export function changedPanelFields(before: OpenFileDefaults, after: OpenFileDefaults): PanelField[] {
  return names.filter((field) => JSON.stringify(fieldOf(before, field)) !== JSON.stringify(fieldOf(after, field)));
}

/** Those of the jobs that inherit at least one of the fields. */
export function inheriting<J extends { openFile: JobOpenFile }>(
  jobs: readonly J[],
  fields: readonly PanelField[],
): J[] {
  return jobs.filter(({ openFile }) => fields.some((field) => fieldOf(openFile, field) === "inherit"));
}

/** The fields with their values, and nothing of the others. */
export function changeTo(
  fields: readonly PanelField[],
  { quiet, cache, noSnapshot }: OpenFileDefaults,
): OpenFileDefaultsChange {
  const of = <T extends object>(part: string, values: T): Partial<T> =>
    Object.fromEntries(
      Object.entries(values).filter(([key]) => fields.includes(`${part}.${key}` as PanelField)),
    ) as Partial<T>;
  return {
    quiet: of("quiet", quiet),
    cache: of("cache", cache),
    ...(fields.includes("noSnapshot") && { noSnapshot }),
  };
}
