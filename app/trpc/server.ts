/**
 * Calls of the console's API while a page is rendered: over HTTP, with the viewer's own cookie, so a page
 * can see nothing that its viewer's browser could not ask for.
 */
import { defaultShouldDehydrateQuery, QueryClient } from "@tanstack/react-query";
import { createTRPCClient, httpBatchLink, TRPCClientError } from "@trpc/client";
import { createTRPCOptionsProxy } from "@trpc/tanstack-react-query";
import { headers } from "next/headers";
import { cache } from "react";
import superjson from "superjson";
import type { AppRouter } from "@/server/console/routers/app-router";

const base = () => process.env.STILLFRAME_INTERNAL_URL ?? "http://127.0.0.1:4400";

/** One for each request. */
export const serverTrpc = cache(async () => {
  const cookie = (await headers()).get("cookie") ?? "";
  const client = createTRPCClient<AppRouter>({
    links: [
      httpBatchLink({
        url: `${base()}/api/trpc`,
        transformer: superjson,
        headers: { cookie, "accept-encoding": "identity" },
      }),
    ],
  });
  const queryClient = new QueryClient({
    defaultOptions: {
      queries: { staleTime: 5000, retry: false },
      dehydrate: { shouldDehydrateQuery: defaultShouldDehydrateQuery },
    },
  });
  return { client, queryClient, trpc: createTRPCOptionsProxy<AppRouter>({ client, queryClient }) };
});

export function isNotFound(error: unknown): boolean {
  return error instanceof TRPCClientError && (error as TRPCClientError<AppRouter>).data?.code === "NOT_FOUND";
}
