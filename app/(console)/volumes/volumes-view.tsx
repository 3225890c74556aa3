"use client";
import { useQuery } from "@tanstack/react-query";
import { HardDrive, Plus } from "lucide-react";
import { useState } from "react";
import { Button } from "@/app/components/button";
import { Card, CardTitle } from "@/app/components/card";
import { EmptyState } from "@/app/components/empty-state";
import { NoneMatches } from "@/app/components/list/none-matches";
import { Pager } from "@/app/components/list/pager";
import { LiveIndicator } from "@/app/components/live-indicator";
import { PageHeader } from "@/app/components/page-header";
import { Unanswered } from "@/app/components/unanswered";
import { useTRPC } from "@/app/trpc/client";
import type { VolumeView } from "@/server/core/contracts/views";
import { listVolumes, volumeListSchema } from "@/server/core/lists/volume-list";
import { May } from "../access/may";
import { useListQuery } from "../lists/use-list-query";
import { useLiveVolumes } from "../live/use-live-volumes";
import { useLiveWrites } from "../live/use-live-writes";
import { AttachDialog } from "./attach-dialog";
import { PracticeDialog } from "./practice-dialog";
import { VolumeFilters } from "./volume-filters";
import { VolumesTable } from "./volumes-table";

export function VolumesView() {
  const trpc = useTRPC();
  const allHosts = useQuery(trpc.hosts.list.queryOptions(undefined, { refetchInterval: 5000 }));
  const hosts = allHosts.data ?? [];
  const volumes = useLiveVolumes();
  const live = useLiveWrites();
  const [dialog, setDialog] = useState<"practice" | "attach" | null>(null);
  const { query, change, narrowed, clear } = useListQuery(volumeListSchema);
  const hostName = (id: string) => hosts.find((one) => one.id === id)?.name ?? "Unknown host";
  const page = volumes.data && allHosts.data && listVolumes(volumes.data, query, hostName);
  const host = hosts.find((one) => one.connected) ?? hosts[0];
  const add = host && (
    <May permission="changeVolumes">
      <Button onClick={() => setDialog("attach")}>Attach a volume</Button>
      <Button kind="primary" onClick={() => setDialog("practice")}>
        <Plus aria-hidden />
        Practice volume
      </Button>
    </May>
  );
  return (
    <>
      <PageHeader
        title="Volumes"
        subtitle="What can be frozen and backed up. An attached volume’s writes pass the engine, so a snapshot takes an instant."
        actions={
          <>
            <LiveIndicator
              link={live.link}
              heardAt={live.heardAt}
              lostAt={live.lostAt}
              className="mr-2 max-sm:basis-full"
            />
            {add}
          </>
        }
      />
      <Unanswered query={volumes} of="volumes" className="mb-4" />
      {volumes.data && <Unanswered query={allHosts} of="hosts of the volumes" className="mb-4" />}
      {page?.all === 0 && (
        <EmptyState icon={HardDrive} title="No volumes yet" action={add}>
          {host
            ? "Mounted file systems of a host appear here by themselves. A practice volume is a file on this host with a file system in it: everything can be tried on it."
            : "Volumes appear when a host’s worker connects to this console."}
        </EmptyState>
      )}
      {page && page.all > 0 && (
        <VolumeFilters query={query} hosts={hosts} onChange={change} onClear={narrowed ? clear : undefined} />
      )}
      {page && page.all > 0 && page.total === 0 && <NoneMatches all={page.all} of="volumes" onClear={clear} />}
      <div className={live.link === "lost" ? "space-y-4 stale" : "space-y-4"}>
        {hostsOf(page?.items ?? []).map((hostId) => (
          <Card key={hostId}>
            <CardTitle
              aside={
                !hosts.find((one) => one.id === hostId)?.connected && (
                  <span className="text-loss-ink text-xs">Not connected: as last heard</span>
                )
              }
            >
              {hostName(hostId)}
            </CardTitle>
            <VolumesTable
              volumes={page?.items.filter((volume) => volume.hostId === hostId) ?? []}
              writes={live.writes}
            />
          </Card>
        ))}
      </div>
      {page && page.total > 0 && (
        <Pager page={page} of={["volume", "volumes"]} onPage={(next) => change({ page: next })} />
      )}
      {host && (
        <>
          <PracticeDialog
            hosts={hosts}
            open={dialog === "practice"}
            onOpenChange={(open) => setDialog(open ? "practice" : null)}
          />
          <AttachDialog
            hosts={hosts}
            open={dialog === "attach"}
            onOpenChange={(open) => setDialog(open ? "attach" : null)}
          />
        </>
      )}
    </>
  );
}

/** In the order of the list, which keeps a host's volumes together. */
function hostsOf(volumes: readonly VolumeView[]): string[] {
  return [...new Set(volumes.map(({ hostId }) => hostId))];
}
