/** One volume's backup by restic: `restic backup --json` in the namespace where the frozen image is mounted. */
import { z } from "zod";
import type { Places } from "../places";
import type { UndoStack } from "../snapshots/undo";
import { type LongProgramResult, runLongProgram } from "./long-program";
import { commonArguments, type Repository } from "./restic";

/** Tag that ties a backup to its run: restores find it by this. */
export function runTag(runId: string): string {
  return `stillframe-run=${runId}`;
}

/** What belongs to one job; retention looks at nothing else. */
export function jobTag(jobId: string): string {
  return `stillframe-job=${jobId}`;
}

/** restic separates tags by commas. */
export function volumeTag(name: string): string {
  return `stillframe-volume=${name.replaceAll("%", "%25").replaceAll(",", "%2C")}`;
}

const messageSchema = z.discriminatedUnion("message_type", [
  z.object({
    message_type: z.literal("status"),
    total_files: z.number().default(0),
    files_done: z.number().default(0),
    total_bytes: z.number().default(0),
    bytes_done: z.number().default(0),
    current_files: z.array(z.string()).optional(),
  }),
  z.object({ message_type: z.literal("error"), error: z.unknown(), item: z.string().default("") }),
  z.object({
    message_type: z.literal("summary"),
    total_files_processed: z.number(),
    total_bytes_processed: z.number(),
    snapshot_id: z.string(),
  }),
]);

export interface BackupProgress {
  bytesDone: number;
  bytesTotal: number;
  filesDone: number;
  filesTotal: number;
  currentFile: string | null;
}

export interface ResticOutcome {
  result: LongProgramResult;
  /** Id of the backup in the repository; null when none was made. */
  backupSnapshot: string | null;
  bytesProcessed: number;
  /** Files that could not be read, with the error's text. */
  unreadable: { path: string; error: string }[];
}

export interface ResticBackup {
  repository: Repository;
  namespace: string | null;
  paths: string[];
  excludes: string[];
  tags: string[];
  onProgress: (progress: BackupProgress) => void;
}

/** restic ends with 3 when it made a backup but could not read some files. */
export const RESTIC_INCOMPLETE = 3;
const MOST_UNREADABLE = 100;

export async function backUpWithRestic(
  places: Places,
  undo: UndoStack,
  backup: ResticBackup,
  signal: AbortSignal,
): Promise<ResticOutcome> {
  const outcome: Omit<ResticOutcome, "result"> = { backupSnapshot: null, bytesProcessed: 0, unreadable: [] };
  const args = [
    ...commonArguments(places, backup.repository),
    "backup",
    "--json",
    "--one-file-system",
    ...backup.tags.flatMap((tag) => ["--tag", tag]),
    ...backup.excludes.flatMap((pattern) => ["--exclude", pattern]),
    "--",
    ...backup.paths,
  ];
  const result = await runLongProgram(
    undo,
    {
      program: "restic",
      args,
      namespace: backup.namespace,
      env: { RESTIC_PROGRESS_FPS: "4", LC_ALL: "C.UTF-8" },
      what: "restic backup",
      onLine: (line) => readLine(line, outcome, backup.onProgress),
    },
    signal,
  );
  return { ...outcome, result };
}

function readLine(line: string, outcome: Omit<ResticOutcome, "result">, onProgress: ResticBackup["onProgress"]): void {
  const message = parseMessage(line);
  if (message === null) return;
  if (message.message_type === "status") {
    onProgress({
      bytesDone: message.bytes_done,
      bytesTotal: message.total_bytes,
      filesDone: message.files_done,
      filesTotal: message.total_files,
      currentFile: message.current_files?.[0] ?? null,
    });
  } else if (message.message_type === "error") {
    if (outcome.unreadable.length >= MOST_UNREADABLE) return;
    outcome.unreadable.push({ path: message.item, error: errorText(message.error) });
  } else {
    outcome.backupSnapshot = message.snapshot_id;
    outcome.bytesProcessed = message.total_bytes_processed;
  }
}

function parseMessage(line: string): z.output<typeof messageSchema> | null {
  if (!line.startsWith("{")) return null;
  try {
    return messageSchema.safeParse(JSON.parse(line)).data ?? null;
  } catch {
    return null;
  }
}

/** restic prints a Go error: `{Op, Path, Err: errno}` or a text in some form. */
function errorText(error: unknown): string {
  return typeof error === "string" ? error : JSON.stringify(error);
}

/** The errno in restic's error, where it is one. */
export function errnoIn(text: string): number | null {
  const found = /"Err":\s*(\d+)/.exec(text);
  return found?.[1] === undefined ? null : Number(found[1]);
}
