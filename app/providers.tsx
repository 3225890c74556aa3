"use client";
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createTRPCClient, createWSClient, httpBatchLink, splitLink, wsLink } from "@trpc/client";
import { ThemeProvider } from "next-themes";
import { type ReactNode, useState } from "react";
import { Toaster } from "sonner";
import superjson from "superjson";
import type { AppRouter } from "@/server/console/routers/app-router";
import { ZoneProvider } from "./components/zone";
import { TRPCProvider } from "./trpc/client";
import { isSignedOut, mayPass } from "./trpc/fault";
import { socketState } from "./trpc/socket-state";

/** Queries and mutations by HTTP, subscriptions by one WebSocket that opens with the first of them. */
function makeTrpcClient() {
  const http = httpBatchLink<AppRouter>({ url: "/api/trpc", transformer: superjson });
  if (typeof window === "undefined") return createTRPCClient<AppRouter>({ links: [http] });
  const client = createWSClient({
    url: () => `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/ws`,
    lazy: { enabled: true, closeMs: 5000 },
    keepAlive: { enabled: true, intervalMs: 10_000, pongTimeoutMs: 5000 },
    retryDelayMs: (attempt) => Math.min(3000, 250 * 2 ** attempt),
    onOpen: socketState.opened,
    onClose: socketState.closed,
  });
  return createTRPCClient<AppRouter>({
    links: [
      splitLink({
        condition: (op) => op.type === "subscription",
        true: wsLink({ client, transformer: superjson }),
        false: http,
      }),
    ],
  });
}

function signInAgain(error: unknown) {
  if (typeof window === "undefined" || !isSignedOut(error)) return;
  const here = location.pathname + location.search;
  if (!here.startsWith("/sign-in")) location.assign(`/sign-in?next=${encodeURIComponent(here)}`);
}

const ASKED_AGAIN_MS = 5000;

function makeQueryClient() {
  return new QueryClient({
    queryCache: new QueryCache({ onError: signInAgain }),
    mutationCache: new MutationCache({ onError: signInAgain }),
    defaultOptions: {
      queries: {
        staleTime: 2000,
        retry: (failures, error) => mayPass(error) && failures < 2,
        retryDelay: (failures) => 300 * 2 ** failures,
        // What could not be answered is asked for again until it is.
        refetchInterval: ({ state: { error } }) => (error !== null && mayPass(error) ? ASKED_AGAIN_MS : false),
      },
    },
  });
}

type ProvidersProps = {
  zone: string;
  /** For the script that sets the theme before the first paint. */
  nonce: string;
  children: ReactNode;
};

export function Providers({ zone, nonce, children }: ProvidersProps) {
  const [queryClient] = useState(makeQueryClient);
  const [trpcClient] = useState(makeTrpcClient);
  return (
    <ThemeProvider attribute="data-theme" defaultTheme="system" enableSystem disableTransitionOnChange nonce={nonce}>
      <QueryClientProvider client={queryClient}>
        <TRPCProvider trpcClient={trpcClient} queryClient={queryClient}>
          <ZoneProvider initial={zone}>{children}</ZoneProvider>
        </TRPCProvider>
      </QueryClientProvider>
      <Toaster
        position="bottom-right"
        toastOptions={{
          style: { background: "var(--panel)", color: "var(--ink)", borderColor: "var(--line)", fontFamily: "inherit" },
        }}
      />
    </ThemeProvider>
  );
}
