/** Keeps who did what, with before and after. An entry that cannot be stored is logged, and stops nothing. */
import type { Logger } from "pino";
import { type AuditAction, redacted } from "@/server/core/access/audit";
import type { Role } from "@/server/core/access/permissions";
import type { AuditEntry } from "@/server/core/contracts/audit";
import type { AuditQuery, AuditStore } from "../../data/audit";
import { type ChangeNote, withChangeNote } from "./change-note";

const KEPT_DAYS = 730;
const DAY_MS = 86_400_000;

export type Actor = { by: string; role: Role | null; address: string | null };
export type Outcome = Pick<AuditEntry, "outcome" | "message">;

export class Audit {
  readonly #store: AuditStore;
  readonly #log: Logger;

  constructor(store: AuditStore, log: Logger) {
    this.#store = store;
    this.#log = log;
  }

  list(query: AuditQuery): Promise<AuditEntry[]> {
    return this.#store.list(query);
  }

  /** Does the work and keeps an entry for it; `judge` says how it ended where that is not told by a throw. */
  async around<T>(
    actor: Actor,
    action: AuditAction,
    input: unknown,
    work: () => Promise<T>,
    judge: (result: T) => Outcome = () => ({ outcome: "done", message: null }),
  ): Promise<T> {
    const note: ChangeNote = { subject: null, before: null, after: null };
    try {
      const result = await withChangeNote(note, actor.by, work);
      await this.record(actor, action, input, judge(result), note);
      return result;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      await this.record(actor, action, input, { outcome: "failed", message }, note);
      throw error;
    }
  }

  async record(
    actor: Actor,
    action: AuditAction,
    input: unknown,
    { outcome, message }: Outcome,
    note: ChangeNote = { subject: null, before: null, after: null },
  ): Promise<void> {
    const kept = { input: redacted(input ?? null), before: redacted(note.before), after: redacted(note.after) };
    try {
      await this.#store.add({ ...actor, action, outcome, message, ...kept, subject: note.subject ?? named(input) });
    } catch (error) {
      this.#log.error({ err: error, action, by: actor.by }, "an entry of the audit log could not be kept");
    }
  }

  /** Removes what is older than two years. */
  async forget(now = Date.now()): Promise<void> {
    await this.#store.forget(new Date(now - KEPT_DAYS * DAY_MS));
  }
}

/** Requests call the thing that they are about by one of these. */
function named(input: unknown): string | null {
  if (input === null || typeof input !== "object") return null;
  const { name, volume, email, code } = input as Record<string, unknown>;
  const found = [name, volume, email, code].find((value) => typeof value === "string");
  return typeof found === "string" ? found : null;
}
