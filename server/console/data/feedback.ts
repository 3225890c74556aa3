/** "Did this article answer your question?" */
import { randomUUID } from "node:crypto";
import { errorCodeSchema } from "@/server/core/contracts/error-code";
import type { FeedbackView } from "@/server/core/contracts/views";
import type { Database } from "./database";

const MOST = 500;

export class FeedbackStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async add(feedback: Omit<FeedbackView, "id" | "at">): Promise<void> {
    await this.#db.articleFeedback.create({ data: { id: randomUUID(), ...feedback } });
  }

  /** Newest first. */
  async list(): Promise<FeedbackView[]> {
    const rows = await this.#db.articleFeedback.findMany({ orderBy: { at: "desc" }, take: MOST });
    return rows.map((row) => ({ ...row, code: errorCodeSchema.parse(row.code), at: row.at.toISOString() }));
  }
}
