"use client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { toast } from "sonner";
import { Switch } from "@/app/components/switch";
import { useTRPC } from "@/app/trpc/client";
import { faultOf } from "@/app/trpc/fault";
import type { VolumeView } from "@/server/core/contracts/views";
import { useMay } from "../access/may";

/** Turns a practice volume's writer on and off. */
export function WriterSwitch({ volume }: { volume: VolumeView }) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const set = useMutation(
    trpc.volumes.setWriter.mutationOptions({
      onSettled: () => queryClient.invalidateQueries({ queryKey: trpc.volumes.pathKey() }),
      onError: (error) => toast.error(faultOf(error).message),
    }),
  );
  const allowed = useMay("changeVolumes");
  const on = set.isPending ? set.variables.on : volume.writer;
  return (
    <span className="inline-flex items-center gap-2">
      <Switch
        checked={on}
        disabled={!allowed || !volume.connected || volume.state !== "attached"}
        onChange={(next) => !set.isPending && set.mutate({ hostId: volume.hostId, name: volume.name, on: next })}
        label={`Writer of ${volume.name}`}
      />
      <span className="text-mute text-xs">{on ? "on" : "off"}</span>
    </span>
  );
}
