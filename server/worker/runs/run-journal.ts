/**
 * What a successor must know of a run when this worker is killed: that it was on, how far it came, and, once it
 * is ending, the event that ends it. Kept in `<home>/worker/runs/<run>.json` until the end has been stored for delivery.
 */
import { join } from "node:path";
import { z } from "zod";
import { runEventSchema } from "@/server/core/contracts/run";
import { owedHookSchema } from "../hooks/owed-hooks";
import type { Places } from "../places";
import { readAllJson, removeFile, writeJson } from "../state/json-file";

const journalSchema = z.object({
  runId: z.string(),
  jobName: z.string(),
  phase: z.string(),
  /** Written before it is sent: a run that is ending ends as this, not as interrupted. */
  ending: runEventSchema.nullable(),
  /** Hooks that are to run whatever becomes of the run. */
  owed: z.array(owedHookSchema).default([]),
});
export type RunJournal = z.infer<typeof journalSchema>;

export async function keepJournal(places: Places, journal: RunJournal): Promise<void> {
  await writeJson(journalPath(places, journal.runId), journal);
}

export async function dropJournal(places: Places, runId: string): Promise<void> {
  await removeFile(journalPath(places, runId));
}

export function leftRunJournals(places: Places): Promise<RunJournal[]> {
  return readAllJson(places.runs, journalSchema);
}

/** The undo journal of a group of a run. */
export function groupUndoId(runId: string, group: number): string {
  return `run-${safe(runId)}-g${group}`;
}

/** Whether an undo journal belongs to a run. */
export function isUndoOf(undoId: string, runId: string): boolean {
  return undoId.startsWith(`run-${safe(runId)}-g`);
}

function journalPath(places: Places, runId: string): string {
  return join(places.runs, `${safe(runId)}.json`);
}

/** Run ids come from the console; only harmless characters reach a file name. */
function safe(runId: string): string {
  return runId.replace(/[^A-Za-z0-9-]/g, "_");
}
