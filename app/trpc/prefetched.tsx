import { dehydrate, HydrationBoundary, type QueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { serverTrpc } from "./server";

type Trpc = Awaited<ReturnType<typeof serverTrpc>>["trpc"];

type PrefetchedProps = {
  /** Fetches what the first paint shows; a query that fails is asked again by the browser. */
  fetch: (trpc: Trpc, queryClient: QueryClient) => Promise<void>[];
  children: ReactNode;
};

/** Renders its children with the queries' data already there. */
export async function Prefetched({ fetch, children }: PrefetchedProps) {
  const { trpc, queryClient } = await serverTrpc();
  await Promise.all(fetch(trpc, queryClient));
  return <HydrationBoundary state={dehydrate(queryClient)}>{children}</HydrationBoundary>;
}
