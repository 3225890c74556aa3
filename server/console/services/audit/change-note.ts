/**
 * What a service changes, told to the audit log's entry of whatever request it works for. A browser's mutation and
 * a command of the command line come by different ways to the same service; neither has to hand anything on.
 */
import { AsyncLocalStorage } from "node:async_hooks";

export type ChangeNote = { subject: string | null; before: unknown; after: unknown };

const requests = new AsyncLocalStorage<{ note: ChangeNote; by: string }>();

/** Works with a note of its own, in somebody's name. */
export function withChangeNote<T>(note: ChangeNote, by: string, work: () => Promise<T>): Promise<T> {
  return requests.run({ note, by }, work);
}

/** For whom the present request works; undefined outside of any. */
export function whoActs(): string | undefined {
  return requests.getStore()?.by;
}

/** Outside of any request it says nothing. */
export function noteChange(said: Partial<ChangeNote>): void {
  const request = requests.getStore();
  if (request) Object.assign(request.note, said);
}
