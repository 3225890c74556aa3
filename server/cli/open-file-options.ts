/** The Advanced Open File panel as options, shared by `exec`, `snapshot create`, `job create` and `settings set`. */
import { resolve } from "node:path";
import { type Command, Option } from "commander";
import type { z } from "zod";
import type { OpenFileDefaultsChange, openFileSchema } from "@/server/core/contracts/job";
import { usageFailure } from "./failure";
import { collect, millisecondsOption, sizeOrAutomatic } from "./parse";

export interface PanelOptions {
  minQuiet?: number;
  quietTimeout?: number;
  atQuietTimeout?: "snapshot" | "fail";
  ignorePath?: string[];
  ignoreNothing?: boolean;
  cacheInitial?: number | "automatic";
  cacheMax?: number | "automatic";
  whenFull?: "release" | "hold";
  hold?: number;
  skipFree?: boolean;
}

export interface OpenFileOptions extends PanelOptions {
  cacheLocation?: string;
}

/** What applies to an option that is not given: for a snapshot that is asked for here, in a job, in the settings. */
type Otherwise = "builtIn" | "inherited" | "unchanged";

export function withPanelOptions(command: Command, otherwise: Otherwise): Command {
  const left = (builtIn: string) =>
    ({ builtIn: ` (default: ${builtIn})`, inherited: " (default: inherit the setting)", unchanged: "" })[otherwise];
  const withQuiet = command
    .option(
      "--min-quiet <ms>",
      `shortest gap between writes to wait for; 0: do not wait${left("250")}`,
      millisecondsOption,
    )
    .option("--quiet-timeout <ms>", `how long to wait for it${left("60000")}`, millisecondsOption)
    .addOption(
      new Option(
        "--at-quiet-timeout <what>",
        `without a gap: take the snapshot all the same, or fail${left("snapshot")}`,
      ).choices(["snapshot", "fail"]),
    )
    .option(
      "--ignore-path <path>",
      "writes to this file, or below this directory, do not count; may be given several times",
      collect,
    );
  if (otherwise !== "builtIn")
    withQuiet.option("--ignore-nothing", "every write counts, also where others are ignored");
  return withQuiet
    .option(
      "--cache-initial <size>",
      `reserved before the snapshot is taken; a size or “automatic”${left("automatic")}`,
      sizeOrAutomatic,
    )
    .option(
      "--cache-max <size>",
      `most that the cache may grow to; a size or “automatic”${left("automatic")}`,
      sizeOrAutomatic,
    )
    .addOption(
      new Option(
        "--when-full <what>",
        `release the snapshot, or hold writers for a while first${left("release")}`,
      ).choices(["release", "hold"]),
    )
    .option("--hold <ms>", `longest time to hold writers${left("5000")}`, millisecondsOption)
    .option("--skip-free", `what was free takes no cache, and reads as zeroes${left("so")}`)
    .option("--no-skip-free", "preserve space that was free as well, so that the image has what lay there");
}

/** `inherits`: a job's panel. Who asks for a snapshot here asks this host alone, which has no settings. */
export function withOpenFileOptions(command: Command, { inherits = false } = {}): Command {
  return withPanelOptions(command, inherits ? "inherited" : "builtIn").option(
    "--cache-location <dir>",
    "directory for the cache file (default: chosen by free space)",
  );
}

/** Only what was given. */
export function panelOf(options: PanelOptions): Required<Pick<OpenFileDefaultsChange, "quiet" | "cache">> {
  return {
    quiet: given({
      minimumMs: options.minQuiet,
      timeoutMs: options.quietTimeout,
      atTimeout: options.atQuietTimeout,
      ignorePaths: ignoredPaths(options),
    }),
    cache: given({
      initialBytes: sizeOf(options.cacheInitial),
      maxBytes: sizeOf(options.cacheMax),
      whenFull: options.whenFull,
      holdMs: options.hold,
      skipFreeBlocks: options.skipFree,
    }),
  };
}

const sizeOf = (size: number | "automatic" | undefined) => (size === "automatic" ? null : size);

function ignoredPaths({ ignorePath, ignoreNothing }: PanelOptions): string[] | undefined {
  if (ignoreNothing && ignorePath) throw usageFailure("--ignore-nothing and --ignore-path exclude each other");
  return ignoreNothing ? [] : ignorePath?.map((path) => resolve(path));
}

/** The rest keeps the contract's defaults: the built-in values, or a job's “inherit”. */
export function openFileOf(options: OpenFileOptions): z.input<typeof openFileSchema> {
  const { quiet, cache } = panelOf(options);
  return { quiet, cache: { ...cache, ...given({ location: options.cacheLocation }) } };
}

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function given<T extends object>(fields: T): Given<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Given<T>;
}
