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
  try {
    runId = (await queryClient.fetchQuery(trpc.runs.get.queryOptions({ id }))).run.id;
  } catch (error) {
    if (isNotFound(error)) notFound();
  }
  return (
    <Prefetched
      fetch={(trpc, client) => [
        client.prefetchQuery(trpc.volumes.list.queryOptions({})),
        client.prefetchQuery(trpc.failures.list.queryOptions({ runId })),
        client.prefetchQuery(trpc.jobs.list.queryOptions()),
      ]}
    >
      <RunView key={id} id={id} />
    </Prefetched>
  );
}
