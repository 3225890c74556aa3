import type { Metadata } from "next";
import { Prefetched } from "@/app/trpc/prefetched";
import { SingleSignOnView } from "./single-sign-on-view";

export const metadata: Metadata = { title: "Single sign-on" };

export default function SingleSignOnPage() {
  return (
    <Prefetched fetch={(trpc, client) => [client.prefetchQuery(trpc.singleSignOn.get.queryOptions())]}>
      <SingleSignOnView />
    </Prefetched>
  );
}
