import type { Metadata } from "next";
import { notFound } from "next/navigation";
import { Prefetched } from "@/app/trpc/prefetched";
import { serverTrpc } from "@/app/trpc/server";
import { viewerZone } from "@/app/viewer-zone";
import { VolumePageView } from "./volume-page-view";

type Params = { params: Promise<{ host: string; name: string }> };

export async function generateMetadata({ params }: Params): Promise<Metadata> {
  return { title: decodeURIComponent((await params).name) };
}

export default async function VolumePage({ params }: Params) {
  const coded = await params;
  const [hostId, volume] = [decodeURIComponent(coded.host), decodeURIComponent(coded.name)];
  const { trpc, queryClient } = await serverTrpc();
  const [list, zone] = await Promise.all([
    queryClient.fetchQuery(trpc.volumes.list.queryOptions({})).catch(() => null),
    viewerZone(),
  ]);
  if (list && !list.some((one) => one.hostId === hostId && one.name === volume)) notFound();
  return (
    <Prefetched
      fetch={(trpc, client) => [
        client.prefetchQuery(trpc.hosts.list.queryOptions()),
        client.prefetchQuery(trpc.history.volume.queryOptions({ hostId, volume, zone })),
        client.prefetchQuery(trpc.history.rates.queryOptions({ hostId, volume, range: "day" })),
      ]}
    >
      <VolumePageView hostId={hostId} name={volume} />
    </Prefetched>
  );
}
