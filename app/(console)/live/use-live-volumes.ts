"use client";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useSubscription } from "@trpc/tanstack-react-query";
import { useTRPC } from "@/app/trpc/client";

/** All volumes as they are, kept current by the console. */
export function useLiveVolumes() {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const list = useQuery(trpc.volumes.list.queryOptions({}));
  useSubscription(
    trpc.live.volumes.subscriptionOptions(undefined, {
      onData: (volumes) => queryClient.setQueryData(trpc.volumes.list.queryKey({}), volumes),
    }),
  );
  return list;
}
