/** What is written to while a group waits for its window: whose writes are ignored, and who writes the others. */
import { holderOf, isWithin, normalPath, wholeVolumes } from "@/server/core/planning/selection";
import { wholeVolumeWords } from "@/server/core/settings/open-file-words";
import { formatCount } from "@/server/core/text/count";
import { messageOf } from "../fault";
import { log } from "../log";
import { PathWatch, type Told, type WatchedVolume, type WritingProcess } from "./path-watch";
import { findWriters, mergeWriters, type Writer } from "./writers";

export type Tell = (level: "info" | "warn", text: string) => void;

const NAMED_PROCESSES = 3;
/** In one wait: a program that keeps ending would end again. */
const MOST_STARTS_ANEW = 3;

export class WatchedPaths {
  /** Those of the paths that lie on the volumes. */
  private readonly ignore: string[];
  private watch: PathWatch | null = null;
  /** Somewhere writes to ignored paths count after all, so those who make them are named. */
  private counting = false;
  private started: Promise<void> | null = null;
  private startedAnew = 0;
  /** While one is started in place of another. */
  private successor: Promise<PathWatch> | null = null;
  private over = false;

  constructor(
    private readonly native: string,
    private readonly mounted: WatchedVolume[],
    ignorePaths: readonly string[],
    private readonly tell: Tell,
  ) {
    this.ignore = ignorePaths.map(normalPath).filter((path) => holderOf(path, this.mounted) !== undefined);
  }

  get ignoresAny(): boolean {
    return this.ignore.length > 0;
  }

  /** Begins to look, and says which volumes are ignored as a whole; where that cannot be, every write counts and nobody is named by what was written. */
  start(): Promise<void> {
    this.started ??= this.begin();
    return this.started;
  }

  private async begin(): Promise<void> {
    for (const volume of wholeVolumes(this.ignore, this.mounted)) this.tell("info", wholeVolumeWords(volume));
    try {
      if (this.mounted.length > 0) this.watch = await PathWatch.start(this.native, this.mounted, this.ignore);
    } catch (error) {
      if (this.ignoresAny) this.tellCounting(null, messageOf(error));
      else log.info({ err: error }, "it cannot be told which files are written to");
    }
  }

  /** Who tells which changes of the volume are of ignored paths; null: every change counts. */
  judgeOf(volume: string): PathWatch | null {
    const mounted = this.mounted.find(({ name }) => name === volume);
    if (this.watch === null || mounted === undefined) return null;
    if (!this.ignore.some((path) => holderOf(path, this.mounted) === mounted)) return null;
    const refused = this.watch.refused.get(volume);
    if (refused === undefined) return this.watch;
    this.tellCounting(volume, refused);
    return null;
  }

  /** In place of one that has ended, the same for all volumes; throws where there is none. */
  another(ended: PathWatch, why: string): Promise<PathWatch> {
    if (this.watch !== null && this.watch !== ended) return Promise.resolve(this.watch);
    this.successor ??= this.startAnew(why).finally(() => {
      this.successor = null;
    });
    return this.successor;
  }

  private async startAnew(why: string): Promise<PathWatch> {
    if (this.over || this.startedAnew === MOST_STARTS_ANEW) throw new Error(why);
    this.startedAnew += 1;
    try {
      this.watch = await PathWatch.start(this.native, this.mounted, this.ignore);
    } catch (error) {
      throw new Error(`${why}, and cannot be started again: ${messageOf(error)}`);
    }
    this.tell("warn", `${why}; it was started again. Meanwhile writes to ignored paths counted for the quiet window`);
    return this.watch;
  }

  tellCounting(volume: string | null, reason: string): void {
    this.counting = true;
    const where = volume === null ? "" : ` on ${volume}`;
    this.tell("warn", `writes to ignored paths${where} count for the quiet window: ${reason}`);
  }

  /** Those who wrote elsewhere, and those who have files open there and can write unseen. */
  async writers(): Promise<Writer[]> {
    const told = await this.told();
    const open = await findWriters(this.mounted.map(({ mount }) => mount));
    const isIgnored = (path: string) => !this.counting && this.ignore.some((ignored) => isWithin(path, ignored));
    return mergeWriters(told?.writers ?? [], open, isIgnored);
  }

  /** Says what was ignored, and ends. No mount is in use for this when it resolves. */
  async end(): Promise<void> {
    this.over = true;
    await this.started;
    await this.successor?.catch(() => {});
    if (this.watch === null) return;
    if (this.ignoresAny) for (const { path, by } of (await this.told())?.spared ?? []) this.tellSpared(path, by);
    await this.watch.stop();
    this.watch = null;
  }

  private tellSpared(path: string, by: readonly WritingProcess[]): void {
    const named = by.slice(0, NAMED_PROCESSES).map((p) => `${formatCount(p.changes)} by ${nameOf(p)} (pid ${p.pid})`);
    const others = by.length - named.length;
    if (others > 0) named.push(`others by ${others} more ${others === 1 ? "process" : "processes"}`);
    this.tell("info", `writes to ${path} were ignored: ${named.join(", ")}`);
  }

  private async told(): Promise<Told | null> {
    await this.started;
    return (await this.watch?.told().catch(() => null)) ?? null;
  }
}

/** `/usr/sbin/rsyslogd -n` → `rsyslogd`. */
function nameOf({ command }: WritingProcess): string {
  const program = command.split(" ")[0] ?? command;
  return program.slice(program.lastIndexOf("/") + 1) || command;
}
