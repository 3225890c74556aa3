import type { QueryClient } from "@tanstack/react-query";
import type { serverTrpc } from "@/app/trpc/server";

type Trpc = Awaited<ReturnType<typeof serverTrpc>>["trpc"];

/** What the editor shows beside the job itself. */
export function prefetchEditor(trpc: Trpc, client: QueryClient, jobId: string | null): Promise<void>[] {
  return [
    client.prefetchQuery(trpc.hosts.list.queryOptions()),
    client.prefetchQuery(trpc.volumes.list.queryOptions({})),
    client.prefetchQuery(trpc.cache.list.queryOptions({})),
    client.prefetchQuery(trpc.settings.get.queryOptions()),
    client.prefetchQuery(trpc.notifications.ofJob.queryOptions({ jobId })),
  ];
}
