"use client";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { Card, CardTitle } from "@/app/components/card";
import { LiveIndicator } from "@/app/components/live-indicator";
import { Note } from "@/app/components/note";
import { PageHeader } from "@/app/components/page-header";
import { StateBadge } from "@/app/components/state-badge";
import { Unanswered } from "@/app/components/unanswered";
import { useZone } from "@/app/components/zone";
import { useTRPC } from "@/app/trpc/client";
import { May } from "../../../access/may";
import { OnHost } from "../../../hosts/on-host";
import { useLiveVolumes } from "../../../live/use-live-volumes";
import { useLiveWrites, volumeKey } from "../../../live/use-live-writes";
import { VolumeActions } from "../../volume-actions";
import { GapsCard } from "./gaps-card";
import { RatesCard } from "./rates-card";
import { VolumeFacts } from "./volume-facts";
import { WeekCard } from "./week-card";

const REFRESH_MS = 30_000;

/** What one volume is like: its state now, and what was measured of it. */
export function VolumePageView({ hostId, name }: { hostId: string; name: string }) {
  const trpc = useTRPC();
  const zone = useZone();
  const live = useLiveWrites();
  const volumes = useLiveVolumes();
  const host = useQuery(trpc.hosts.list.queryOptions()).data?.find((one) => one.id === hostId);
  const history = useQuery(
    trpc.history.volume.queryOptions(
      { hostId, volume: name, zone },
      { refetchInterval: REFRESH_MS, placeholderData: keepPreviousData },
    ),
  );
  const volume = volumes.data?.find((one) => one.hostId === hostId && one.name === name);
  return (
    <>
      <PageHeader
        title={name}
        trail={
          <>
            <Link href="/volumes">Volumes</Link> / {name}
          </>
        }
        subtitle={
          <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
            {volume && <StateBadge state={volume.state} />}
            <span>
              <OnHost id={hostId} />
              {host && !host.connected && <span className="text-loss-ink">, not connected: as last heard</span>}
            </span>
          </span>
        }
        actions={
          <>
            <LiveIndicator link={live.link} heardAt={live.heardAt} lostAt={live.lostAt} className="mr-2" />
            <May permission="changeVolumes">{volume && <VolumeActions volume={volume} />}</May>
          </>
        }
      />
      {volumes.data && !volume && (
        <Note tone="warn" title="This volume is gone" className="mb-4">
          Its host does not know it any more. What was measured of it is kept for a while.
        </Note>
      )}
      <Unanswered query={volumes} of="volume" className="mb-4" />
      <div className={live.link === "lost" ? "space-y-4 stale" : "space-y-4"}>
        {volume && <VolumeFacts volume={volume} writes={live.writes.get(volumeKey({ hostId, name }))} />}
        {history.data?.measuredMs === 0 && volume?.state !== "attached" ? (
          <Card>
            <CardTitle>Nothing was measured yet</CardTitle>
            <p className="text-mute">
              The writes of a volume are measured while it is attached: when it is written to, how much, and when it
              rests. Jobs are planned by that. {volume?.state === "detached" && "Attach it to begin."}
            </p>
          </Card>
        ) : (
          <>
            <Unanswered query={history} of="measurements of the week" />
            {history.data && <WeekCard history={history.data} />}
            <div className="grid items-start gap-4 xl:grid-cols-[1.6fr_1fr]">
              <RatesCard hostId={hostId} volume={name} />
              {history.data && <GapsCard gaps={history.data.gaps} />}
            </div>
          </>
        )}
      </div>
    </>
  );
}
