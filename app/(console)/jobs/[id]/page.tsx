import type { Metadata } from "next";
import { notFound } from "next/navigation";
import { Prefetched } from "@/app/trpc/prefetched";
import { isNotFound, serverTrpc } from "@/app/trpc/server";
import { prefetchEditor } from "../editor/prefetch-editor";
import { JobPageView } from "./job-page-view";

export const metadata: Metadata = { title: "Job" };

export default async function JobPage({ params }: { params: Promise<{ id: string }> }) {
  const { id } = await params;
  const { trpc, queryClient } = await serverTrpc();
  try {
    await queryClient.fetchQuery(trpc.jobs.get.queryOptions({ id }));
  } catch (error) {
    if (isNotFound(error)) notFound();
  }
  return (
    <Prefetched
      fetch={(trpc, client) => [
        ...prefetchEditor(trpc, client, id),
        client.prefetchQuery(trpc.runs.list.queryOptions({ jobId: id, limit: 20 })),
      ]}
    >
      <JobPageView id={id} />
    </Prefetched>
  );
}
