import type { Metadata } from "next";
import { Prefetched } from "@/app/trpc/prefetched";
import { KeysView } from "./keys-view";

export const metadata: Metadata = { title: "Other programs" };

export default function KeysPage() {
  return (
    <Prefetched fetch={(trpc, client) => [client.prefetchQuery(trpc.apiKeys.list.queryOptions())]}>
      <KeysView />
    </Prefetched>
  );
}
