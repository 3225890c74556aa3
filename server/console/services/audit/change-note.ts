/**
 * What a service changes, told to the audit log's entry of whatever request it works for. A browser's mutation and
 * a command of the command line come by different ways to the same service; neither has to hand anything on.
 */
import { AsyncLocalStorage } from "node:async_hooks";

export type ChangeNote = { subject: string | null; before: unknown; after: unknown };

const notes = new AsyncLocalStorage<ChangeNote>();

/** Works with a note of its own. */
export function withChangeNote<T>(note: ChangeNote, work: () => Promise<T>): Promise<T> {
  return notes.run(note, work);
}

/** Outside of any request it says nothing. */
export function noteChange(said: Partial<ChangeNote>): void {
  const note = notes.getStore();
  if (note) Object.assign(note, said);
}
