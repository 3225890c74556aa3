/** The Advanced Open File panel as options, shared by `exec`, `snapshot create` and `job create`. */
import { type Command, Option } from "commander";
import type { z } from "zod";
import type { openFileSchema } from "@/server/core/contracts/job";
import { millisecondsOption, sizeOption } from "./parse";

export interface OpenFileOptions {
  minQuiet?: number;
  quietTimeout?: number;
  atQuietTimeout?: "snapshot" | "fail";
  cacheLocation?: string;
  cacheInitial?: number;
  cacheMax?: number;
  whenFull?: "release" | "hold";
  hold?: number;
  /** False with `--no-skip-free`. */
  skipFree?: boolean;
}

export function withOpenFileOptions(command: Command): Command {
  return command
    .option(
      "--min-quiet <ms>",
      "shortest gap between writes to wait for; 0: do not wait (default: 250)",
      millisecondsOption,
    )
    .option("--quiet-timeout <ms>", "how long to wait for it (default: 60000)", millisecondsOption)
    .addOption(
      new Option(
        "--at-quiet-timeout <what>",
        "without a gap: take the snapshot all the same, or fail (default: snapshot)",
      ).choices(["snapshot", "fail"]),
    )
    .option("--cache-location <dir>", "directory for the cache file (default: chosen by free space)")
    .option("--cache-initial <size>", "reserved before the snapshot is taken", sizeOption)
    .option("--cache-max <size>", "most that the cache may grow to", sizeOption)
    .addOption(
      new Option(
        "--when-full <what>",
        "release the snapshot, or hold writers for a while first (default: release)",
      ).choices(["release", "hold"]),
    )
    .option("--hold <ms>", "longest time to hold writers (default: 5000)", millisecondsOption)
    .option("--no-skip-free", "preserve space that was free as well, so that the image has what lay there");
}

/** Only what was given; the rest keeps the contract's defaults. */
export function openFileOf(options: OpenFileOptions): z.input<typeof openFileSchema> {
  return {
    quiet: given({ minimumMs: options.minQuiet, timeoutMs: options.quietTimeout, atTimeout: options.atQuietTimeout }),
    cache: given({
      location: options.cacheLocation,
      initialBytes: options.cacheInitial,
      maxBytes: options.cacheMax,
      whenFull: options.whenFull,
      holdMs: options.hold,
      skipFreeBlocks: options.skipFree === false ? false : undefined,
    }),
  };
}

function given<T extends object>(fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}
