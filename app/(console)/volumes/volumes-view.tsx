"use client";
import { useQuery } from "@tanstack/react-query";
import { HardDrive, Plus } from "lucide-react";
import { useState } from "react";
import { Button } from "@/app/components/button";
import { Card, CardTitle } from "@/app/components/card";
import { EmptyState } from "@/app/components/empty-state";
import { LiveIndicator } from "@/app/components/live-indicator";
import { Note } from "@/app/components/note";
import { PageHeader } from "@/app/components/page-header";
import { useTRPC } from "@/app/trpc/client";
import { faultOf } from "@/app/trpc/fault";
import type { HostView, VolumeView } from "@/server/core/contracts/views";
import { May } from "../access/may";
import { useLiveVolumes } from "../live/use-live-volumes";
import { useLiveWrites } from "../live/use-live-writes";
import { AttachDialog } from "./attach-dialog";
import { PracticeDialog } from "./practice-dialog";
import { VolumesTable } from "./volumes-table";

export function VolumesView() {
  const trpc = useTRPC();
  const hosts = useQuery(trpc.hosts.list.queryOptions(undefined, { refetchInterval: 5000 })).data ?? [];
  const volumes = useLiveVolumes();
  const live = useLiveWrites();
  const [dialog, setDialog] = useState<"practice" | "attach" | null>(null);
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
            <LiveIndicator link={live.link} heardAt={live.heardAt} lostAt={live.lostAt} className="mr-2" />
            {add}
          </>
        }
      />
      {volumes.error && (
        <Note tone="loss" title="The volumes cannot be listed" className="mb-4">
          {faultOf(volumes.error).message}
        </Note>
      )}
      {volumes.data?.length === 0 && (
        <EmptyState icon={HardDrive} title="No volumes yet" action={add}>
          {host
            ? "Mounted file systems of a host appear here by themselves. A practice volume is a file on this host with a file system in it: everything can be tried on it."
            : "Volumes appear when a host’s worker connects to this console."}
        </EmptyState>
      )}
      <div className={live.link === "lost" ? "space-y-4 opacity-60" : "space-y-4"}>
        {byHost(volumes.data ?? [], hosts).map(({ name, hostId, connected, volumes }) => (
          <Card key={hostId}>
            <CardTitle
              aside={!connected && <span className="text-loss-ink text-xs">Not connected: as last heard</span>}
            >
              {name}
            </CardTitle>
            <VolumesTable volumes={volumes} writes={live.writes} />
          </Card>
        ))}
      </div>
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

function byHost(volumes: readonly VolumeView[], hosts: readonly HostView[]) {
  const ids = [...new Set(volumes.map((volume) => volume.hostId))];
  const rank = { attached: 0, unreachable: 0, detached: 1, available: 2 };
  return ids.map((hostId) => {
    const host = hosts.find((one) => one.id === hostId);
    return {
      hostId,
      name: host?.name ?? "Unknown host",
      connected: host?.connected ?? false,
      volumes: volumes
        .filter((volume) => volume.hostId === hostId)
        .sort((a, b) => rank[a.state] - rank[b.state] || a.name.localeCompare(b.name)),
    };
  });
}
