import type { Metadata } from "next";
import { Prefetched } from "@/app/trpc/prefetched";
import { UsersView } from "./users-view";

export const metadata: Metadata = { title: "Users and roles" };

export default function UsersPage() {
  return (
    <Prefetched fetch={(trpc, client) => [client.prefetchQuery(trpc.users.list.queryOptions())]}>
      <UsersView />
    </Prefetched>
  );
}
