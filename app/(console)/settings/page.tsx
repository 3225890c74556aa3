import type { Metadata } from "next";
import { Prefetched } from "@/app/trpc/prefetched";
import { SettingsView } from "./settings-view";

export const metadata: Metadata = { title: "Settings" };

export default function SettingsPage() {
  return (
    <Prefetched
      fetch={(trpc, client) => [
        client.prefetchQuery(trpc.settings.get.queryOptions()),
        client.prefetchQuery(trpc.jobs.list.queryOptions()),
      ]}
    >
      <SettingsView />
    </Prefetched>
  );
}
