"use client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTRPC } from "@/app/trpc/client";
import { faultOf } from "@/app/trpc/fault";
import type { JobView } from "@/server/core/contracts/views";

export type BulkAction = "run" | "pause" | "continue" | "delete";
/** `problem`: why it was not done; null: it was. */
export type BulkResult = { job: JobView; problem: string | null };

/** Does one thing to several jobs, one after the other; one that fails does not keep the next from being tried. */
export function useBulk() {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const run = useMutation(trpc.jobs.run.mutationOptions());
  const setPaused = useMutation(trpc.jobs.setPaused.mutationOptions());
  const remove = useMutation(trpc.jobs.remove.mutationOptions());
  const [results, setResults] = useState<readonly BulkResult[]>([]);
  const [busy, setBusy] = useState(false);

  const actions: Record<BulkAction, (job: JobView) => Promise<unknown>> = {
    run: ({ id }) => run.mutateAsync({ id }),
    pause: ({ id }) => setPaused.mutateAsync({ id, paused: true }),
    continue: ({ id }) => setPaused.mutateAsync({ id, paused: false }),
    delete: ({ id }) => remove.mutateAsync({ id }),
  };

  async function carryOut(action: BulkAction, jobs: readonly JobView[]): Promise<void> {
    setBusy(true);
    setResults([]);
    for (const job of jobs) {
      const problem = await actions[action](job).then(
        () => null,
        (error: unknown) => faultOf(error).message,
      );
      setResults((before) => [...before, { job, problem }]);
    }
    setBusy(false);
    await queryClient.invalidateQueries({ queryKey: trpc.pathKey() });
  }

  return { carryOut, results, busy };
}
