import type { Metadata } from "next";
import { notFound } from "next/navigation";
import { Prefetched } from "@/app/trpc/prefetched";
import { isNotFound, serverTrpc } from "@/app/trpc/server";
import { RunView } from "./run-view";

export const metadata: Metadata = { title: "Run" };

export default async function RunPage({ params }: { params: Promise<{ id: string }> }) {
  const { id } = await params;
  const { trpc, queryClient } = await serverTrpc();
  let runId = id;
  let jobId: string | null = null;
  try {
    const { run } = await queryClient.fetchQuery(trpc.runs.get.queryOptions({ id }));
    runId = run.id;
    jobId = run.job.id;
  } catch (error) {
    if (isNotFound(error)) notFound();
  }
  return (
    <Prefetched
      fetch={(trpc, client) => [
        client.prefetchQuery(trpc.volumes.list.queryOptions({})),
        client.prefetchQuery(trpc.failures.list.queryOptions({ runId })),
        ...(jobId === null ? [] : [client.prefetchQuery(trpc.jobs.named.queryOptions({ id: jobId }))]),
      ]}
    >
      <RunView key={id} id={id} />
    </Prefetched>
  );
}
