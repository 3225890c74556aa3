"use client";
import type { UseQueryResult } from "@tanstack/react-query";
import { useState } from "react";
import { faultOf } from "@/app/trpc/fault";
import { Button } from "./button";
import { Note } from "./note";

type UnansweredProps = {
  query: Pick<UseQueryResult<unknown, unknown>, "data" | "error" | "refetch" | "isEnabled">;
  /** What was asked for, as "jobs". */
  of: string;
  className?: string;
};

/**
 * Stands where an answer of the console is missing or old: that it is on its way, or why there is none, with a button
 * that asks again. Nothing once it is there. What went wrong stays until then, also while the question is repeated.
 */
export function Unanswered({ query, of, className }: UnansweredProps) {
  const { data, error, isEnabled, refetch } = query;
  const answered = data !== undefined;
  const [asking, setAsking] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);
  const now = error ?? (answered ? null : problem);
  if (now !== problem) setProblem(now);
  async function again() {
    setAsking(true);
    await refetch();
    setAsking(false);
  }
  if (now)
    return (
      <Note
        tone={answered ? "warn" : "loss"}
        title={answered ? `The ${of} may have changed since` : `The ${of} cannot be shown`}
        className={className}
        action={
          <Button size="small" busy={asking} onClick={again}>
            Try again
          </Button>
        }
      >
        {faultOf(now).message}
      </Note>
    );
  return answered || !isEnabled ? null : <Loading of={of} className={className} />;
}

function Loading({ of, className }: Pick<UnansweredProps, "of" | "className">) {
  return (
    <div role="status" className={className}>
      <p className="text-[0.8125rem] text-mute">Loading the {of}…</p>
      <div aria-hidden className="mt-3 animate-breathe space-y-2.5">
        <div className="h-3 w-11/12 max-w-2xl rounded bg-line" />
        <div className="h-3 w-4/5 max-w-xl rounded bg-line" />
        <div className="h-3 w-3/5 max-w-md rounded bg-line" />
      </div>
    </div>
  );
}
