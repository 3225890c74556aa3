"use client";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { toast } from "sonner";
import { Card, CardTitle } from "@/app/components/card";
import { plural } from "@/app/components/format";
import { Switch } from "@/app/components/switch";
import { useTRPC } from "@/app/trpc/client";
import { faultOf } from "@/app/trpc/fault";
import type { Settings } from "@/server/core/contracts/settings";

/** The global switch, known to many as `DoSingleVolumeSnap`. */
export function OneAtATime({ settings }: { settings: Settings }) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const jobs = useQuery(trpc.jobs.list.queryOptions(undefined, { refetchInterval: 5000 }));
  const set = useMutation(
    trpc.settings.set.mutationOptions({
      onSuccess: (saved) => {
        queryClient.setQueryData(trpc.settings.get.queryKey(), saved);
        void queryClient.invalidateQueries({ queryKey: trpc.jobs.pathKey() });
      },
      onError: (error) => toast.error(faultOf(error).message),
    }),
  );
  const all = jobs.data ?? [];
  const own = all.filter((job) => job.openFile.oneAtATime !== "inherit").length;
  const on = set.isPending ? (set.variables.oneAtATime ?? settings.oneAtATime) : settings.oneAtATime;
  return (
    <Card>
      <CardTitle
        aside={
          <span className="flex items-center gap-2">
            <span className="text-mute text-xs">{on ? "on" : "off"}</span>
            <Switch
              checked={on}
              onChange={(next) => !set.isPending && set.mutate({ oneAtATime: next })}
              label="Process logical volumes for backup one at a time, for all jobs"
            />
          </span>
        }
      >
        Process logical volumes for backup one at a time
      </CardTitle>
      <p className="text-mute">
        {on
          ? "On: each volume is frozen, backed up and released before the next. Only one cache exists at a time, and the volumes are of different instants."
          : "Off: all volumes of a job are frozen at one instant, and their caches exist together."}
      </p>
      <p className="mt-2 text-[0.8125rem] text-mute">
        {jobs.data && (
          <>
            Applies to {plural(all.length - own, "job")} that inherit{all.length - own === 1 ? "s" : ""} it
            {own > 0 && `; ${plural(own, "job")} with a setting of ${own === 1 ? "its" : "their"} own`}.{" "}
          </>
        )}
        Runs that have begun go on as they are.
      </p>
    </Card>
  );
}
