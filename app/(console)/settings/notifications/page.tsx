import type { Metadata } from "next";
import { Prefetched } from "@/app/trpc/prefetched";
import { NotificationsView } from "./notifications-view";

export const metadata: Metadata = { title: "Notifications" };

export default function NotificationsPage() {
  return (
    <Prefetched
      fetch={(trpc, client) => [
        client.prefetchQuery(trpc.notifications.list.queryOptions()),
        client.prefetchQuery(trpc.notifications.deliveries.queryOptions({})),
        client.prefetchQuery(trpc.jobs.list.queryOptions()),
      ]}
    >
      <NotificationsView />
    </Prefetched>
  );
}
