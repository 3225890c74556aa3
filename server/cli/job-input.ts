/** A job from the options of `job create`, or from a JSON document. */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { text } from "node:stream/consumers";
import type { ConsoleInput } from "@/server/core/contracts/console-methods";
import { usageFailure } from "./failure";
import { type HookOptions, hooksOf } from "./hook-options";
import { type OpenFileOptions, openFileOf } from "./open-file-options";
import { type RetentionOptions, retentionOf } from "./retention-options";
import { type ScheduleOptions, scheduleOf } from "./schedule-options";

export type NewJob = ConsoleInput<"job.create">;

export interface JobOptions extends OpenFileOptions, ScheduleOptions, RetentionOptions, HookOptions {
  file?: string;
  name?: string;
  volume?: string[];
  path?: string[];
  exclude?: string[];
  restic?: string;
  command?: string;
  passwordFile?: string;
  oneAtATime?: "inherit" | "on" | "off";
  openFile: boolean;
  withoutSnapshot?: keyof typeof noSnapshotOf;
}

/** As options write it. */
export const noSnapshotOf = { fail: "fail", "read-live": "readLive" } as const;

export async function jobInput(options: JobOptions): Promise<NewJob> {
  const password = await passwordOf(options);
  if (options.file !== undefined) return { ...(await jobDocument(options.file)), ...(password ? { password } : {}) };
  if (!options.name) throw usageFailure("name the job: --name NAME (or describe it with --file)");
  if (!options.volume) throw usageFailure("name at least one volume: --volume NAME");
  if ((options.restic === undefined) === (options.command === undefined)) {
    throw usageFailure("say where the backup goes: either --restic REPOSITORY or --command COMMAND");
  }
  const retention = retentionOf(options);
  return {
    name: options.name,
    selection: {
      volumes: options.volume,
      paths: (options.path ?? []).map((path) => resolve(path)),
      excludes: options.exclude ?? [],
    },
    openFile: {
      ...openFileOf(options),
      enabled: options.openFile,
      oneAtATime: options.oneAtATime ?? "inherit",
      ...(options.withoutSnapshot && { noSnapshot: noSnapshotOf[options.withoutSnapshot] }),
    },
    hooks: hooksOf(options),
    schedule: scheduleOf(options),
    destination:
      options.command === undefined
        ? { kind: "restic", repository: resolve(options.restic ?? ""), ...(retention && { retention }) }
        : { kind: "command", command: options.command },
    ...(password ? { password } : {}),
  };
}

/** Never from the command line: every user of the host can read that. */
async function passwordOf({ passwordFile }: JobOptions): Promise<string | undefined> {
  return passwordFile === undefined ? process.env.STILLFRAME_RESTIC_PASSWORD || undefined : passwordIn(passwordFile);
}

async function passwordIn(file: string): Promise<string> {
  const content = await read(file);
  const password = content.replace(/\r?\n$/, "");
  if (password === "") throw usageFailure(`${file} is empty`);
  if (password.includes("\n")) throw usageFailure(`${file} has more than one line`);
  return password;
}

/** What `job show --json` tells beside what can be changed. */
const READ_ONLY = ["id", "hostId", "hasPassword", "paused", "nextRunAt", "effectiveMode", "effectiveOpenFile"];

/** A whole job, as `job show --json` prints it, for `job update`. */
export async function changedJob(options: { file: string; passwordFile?: string }): Promise<NewJob> {
  const password = options.passwordFile === undefined ? undefined : await passwordIn(options.passwordFile);
  const document = Object.entries(await jobDocument(options.file)).filter(([field]) => !READ_ONLY.includes(field));
  return { ...(Object.fromEntries(document) as NewJob), ...(password ? { password } : {}) };
}

async function jobDocument(file: string): Promise<NewJob> {
  const content = file === "-" ? await text(process.stdin) : await read(file);
  try {
    const parsed: unknown = JSON.parse(content);
    if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) return parsed as NewJob;
  } catch (error) {
    throw usageFailure(`${file === "-" ? "standard input" : file} is not JSON: ${(error as Error).message}`);
  }
  throw usageFailure("a job is one JSON object");
}

function read(file: string): Promise<string> {
  return readFile(file, "utf8").catch((error: Error) => {
    throw usageFailure(`cannot read ${file}: ${error.message}`);
  });
}
