/** Hooks as options: `--pre-freeze sync --hook-timeout 30s`. */
import { type Command, Option } from "commander";
import type { z } from "zod";
import type { HookMoment, hooksSchema } from "@/server/core/contracts/hooks";
import { usageFailure } from "./failure";
import { collect, millisecondsOption } from "./parse";

export interface HookOptions {
  preFreeze?: string[];
  freezeHold?: string[];
  postSnapshot?: string[];
  postRun?: string[];
  hookTimeout?: number;
  hookFailure?: "fail" | "warn";
}

const moments: readonly [option: string, at: HookMoment, when: string][] = [
  ["--pre-freeze", "preFreeze", "run this before the freeze"],
  ["--freeze-hold", "freezeHold", "run this during the freeze: it prints READY, and ends when its input does"],
  ["--post-snapshot", "postSnapshot", "run this after the snapshot, also if it failed"],
  ["--post-run", "postRun", "run this at the run's end, however it ends"],
];

/** Of a job. */
export function withHookOptions(command: Command): Command {
  return addHookOptions(command, moments);
}

/** Of a snapshot that belongs to no run. */
export function withSnapshotHookOptions(command: Command): Command {
  return addHookOptions(
    command,
    moments.filter(([, at]) => at !== "postRun"),
  );
}

function addHookOptions(command: Command, offered: typeof moments): Command {
  for (const [option, , when] of offered) {
    command.option(`${option} <command>`, `${when}, with /bin/sh; may be given several times`, collect);
  }
  return command
    .option("--hook-timeout <ms>", "how long each of these may take (default: 60000)", millisecondsOption)
    .addOption(
      new Option(
        "--hook-failure <what>",
        "when one before the snapshot fails: fail the run, or warn (default: fail)",
      ).choices(["fail", "warn"]),
    );
}

/** In the order of their moments. Only what was given; the rest keeps the contract's defaults. */
export function hooksOf(options: HookOptions): z.input<typeof hooksSchema> {
  const { hookTimeout: timeoutMs, hookFailure: onFailure } = options;
  const hooks = moments.flatMap(([, at]) =>
    (options[at] ?? []).map((command) => ({
      at,
      command,
      ...(timeoutMs !== undefined && { timeoutMs }),
      ...(onFailure !== undefined && { onFailure }),
    })),
  );
  if (hooks.length === 0 && (timeoutMs !== undefined || onFailure !== undefined)) {
    throw usageFailure("--hook-timeout and --hook-failure need a hook, such as --pre-freeze COMMAND");
  }
  return hooks;
}
