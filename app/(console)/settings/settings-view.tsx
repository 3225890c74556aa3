"use client";
import { useQuery } from "@tanstack/react-query";
import { PageHeader } from "@/app/components/page-header";
import { Unanswered } from "@/app/components/unanswered";
import { useTRPC } from "@/app/trpc/client";
import { ReadOnlyUnless } from "../access/may";
import { CacheLocations } from "./cache-locations";
import { OneAtATime } from "./one-at-a-time";
import { OpenFileDefaultsCard } from "./open-file-defaults";
import { RegImport } from "./reg-import";

/** Others change them too, and jobs. */
const AGAIN_MS = 5000;

export function SettingsView() {
  const trpc = useTRPC();
  const settings = useQuery(trpc.settings.get.queryOptions(undefined, { refetchInterval: AGAIN_MS }));
  return (
    <div className="max-w-3xl">
      <PageHeader title="Settings" subtitle="What applies to every job that does not say otherwise." />
      <Unanswered query={settings} of="settings" className="mb-4" />
      {settings.data && (
        <ReadOnlyUnless permission="changeSettings">
          <div className="space-y-4">
            <OneAtATime settings={settings.data} />
            <RegImport />
            <OpenFileDefaultsCard settings={settings.data} />
            <CacheLocations settings={settings.data} />
          </div>
        </ReadOnlyUnless>
      )}
    </div>
  );
}
