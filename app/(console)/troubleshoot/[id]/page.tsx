import type { Metadata } from "next";
import { notFound } from "next/navigation";
import { Prefetched } from "@/app/trpc/prefetched";
import { isNotFound, serverTrpc } from "@/app/trpc/server";
import { FailurePageView } from "./failure-page-view";

export const metadata: Metadata = { title: "Failure" };

export default async function FailurePage({ params }: { params: Promise<{ id: string }> }) {
  const { id } = await params;
  const { trpc, queryClient } = await serverTrpc();
  try {
    await queryClient.fetchQuery(trpc.failures.get.queryOptions({ id }));
  } catch (error) {
    if (isNotFound(error)) notFound();
  }
  return (
    <Prefetched fetch={(trpc, client) => [client.prefetchQuery(trpc.hosts.list.queryOptions())]}>
      <FailurePageView id={id} />
    </Prefetched>
  );
}
