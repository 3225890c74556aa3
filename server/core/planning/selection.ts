/** Which of a job's selected paths belong to which volume. */

/** Whether `path` is `directory` or lies below it. */
export function isWithin(path: string, directory: string): boolean {
  return path === directory || directory === "/" || path.startsWith(`${directory}/`);
}

/** `/a/b` → `/a`. */
export function directoryOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf("/")));
}

/** Without those that lie below another, each once, in their order. */
export function widestPaths(paths: readonly string[]): string[] {
  const each = [...new Set(paths)];
  return each.filter((path) => !each.some((other) => other !== path && isWithin(path, other)));
}

/** `/a//b/` → `/a/b`. */
export function normalPath(path: string): string {
  const parts = path.split("/").filter((p) => p !== "" && p !== ".");
  return `/${parts.join("/")}`;
}

/** The volume that a path is on: the one with the longest mount point above it. */
export function holderOf<V extends { mount: string | null }>(path: string, volumes: readonly V[]): V | undefined {
  const holders = volumes.filter(({ mount }) => mount !== null && isWithin(path, mount));
  return holders.sort((a, b) => (b.mount?.length ?? 0) - (a.mount?.length ?? 0))[0];
}

/** Volumes of which one of the paths is the root: all of each lies below it. */
export function wholeVolumes<V extends { mount: string | null }>(
  paths: readonly string[],
  volumes: readonly V[],
): (V & { mount: string })[] {
  const named = new Set(paths.map(normalPath));
  return volumes.filter((one): one is V & { mount: string } => one.mount !== null && named.has(one.mount));
}

export interface PathsByVolume {
  /** Paths to read for each volume; the mount point itself when the whole volume was chosen. */
  paths: Record<string, string[]>;
  /** Selected paths that are on none of the volumes. */
  elsewhere: string[];
}

/**
 * No paths at all: the whole of each volume. Else each path goes to the volume with the longest mount point that
 * holds it, and a volume without any is snapped but not read.
 */
export function pathsByVolume(
  volumes: readonly { name: string; mount: string }[],
  selected: readonly string[],
): PathsByVolume {
  const paths: Record<string, string[]> = Object.fromEntries(
    volumes.map((v) => [v.name, selected.length === 0 ? [v.mount] : []]),
  );
  const elsewhere: string[] = [];
  for (const path of selected.map(normalPath)) {
    const volume = holderOf(path, volumes);
    if (volume === undefined) elsewhere.push(path);
    else paths[volume.name]?.push(path);
  }
  return { paths, elsewhere };
}
