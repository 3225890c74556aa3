/** What became of one attempt: the receiver's own words, or why it could not be reached. */
export type Answer = {
  ok: boolean;
  answer: string;
  /** How long the receiver asked to be left alone. */
  retryAfterMs: number | null;
};

const LONGEST = 500;
const CONTROL = /\p{Cc}+/gu;

export function answered(ok: boolean, text: string, retryAfterMs: number | null = null): Answer {
  const line = text.replace(CONTROL, " ").trim();
  return { ok, answer: line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line, retryAfterMs };
}

/** What an error of the network says, its deepest cause first of all. */
export function unreachable(error: unknown): Answer {
  return answered(false, reasonOf(error));
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Several addresses were tried: each has its own error.
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.map(reasonOf).join("; ");
  if (error.cause instanceof Error) return reasonOf(error.cause);
  return error.message || (error as NodeJS.ErrnoException).code || error.name;
}
