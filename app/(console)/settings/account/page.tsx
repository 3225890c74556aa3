import type { Metadata } from "next";
import { Prefetched } from "@/app/trpc/prefetched";
import { AccountView } from "./account-view";

export const metadata: Metadata = { title: "Your account" };

export default function AccountPage() {
  return (
    <Prefetched
      fetch={(trpc, client) => [
        client.prefetchQuery(trpc.account.safety.queryOptions()),
        client.prefetchQuery(trpc.account.sessions.queryOptions()),
      ]}
    >
      <AccountView />
    </Prefetched>
  );
}
