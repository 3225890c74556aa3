"use client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { toast } from "sonner";
import { Button } from "@/app/components/button";
import { ConfirmDialog } from "@/app/components/confirm-dialog";
import { useTRPC } from "@/app/trpc/client";
import { faultOf } from "@/app/trpc/fault";
import type { VolumeView } from "@/server/core/contracts/views";
import { formatBytes } from "@/server/core/text/bytes";

/** What can be done to a volume in its present state. */
export function VolumeActions({ volume }: { volume: VolumeView }) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [open, setOpen] = useState<"attach" | "detach" | "remove" | null>(null);
  const settled = {
    onSuccess: () => setOpen(null),
    onSettled: () => queryClient.invalidateQueries({ queryKey: trpc.volumes.pathKey() }),
  };
  const attach = useMutation(
    trpc.volumes.attach.mutationOptions({
      onSuccess: (attached) => {
        setOpen(null);
        toast.success(`${attached.name} is attached: snapshots can be taken of it now.`);
      },
      onSettled: settled.onSettled,
    }),
  );
  const detach = useMutation(trpc.volumes.detach.mutationOptions(settled));
  const remove = useMutation(trpc.volumes.removePractice.mutationOptions(settled));
  const restart = useMutation(
    trpc.hosts.restartEngine.mutationOptions({
      onSuccess: () => toast.success(`The engine of ${volume.name} is restarted.`),
      onSettled: settled.onSettled,
      onError: (error) => toast.error(faultOf(error).message, { duration: 12_000 }),
    }),
  );
  const at = { hostId: volume.hostId, name: volume.name };
  if (!volume.connected) return null;
  return (
    <span className="flex justify-end gap-1.5">
      {(volume.state === "detached" || (volume.state === "available" && volume.mount !== "/")) && (
        <Button size="small" onClick={() => setOpen("attach")} aria-label={`Attach ${volume.name}`}>
          Attach
        </Button>
      )}
      {volume.state === "unreachable" && (
        <Button
          size="small"
          kind="primary"
          busy={restart.isPending}
          onClick={() => restart.mutate({ hostId: volume.hostId, volume: volume.name })}
        >
          Restart engine
        </Button>
      )}
      {(volume.state === "attached" || volume.state === "unreachable") && (
        <Button size="small" onClick={() => setOpen("detach")} aria-label={`Detach ${volume.name}`}>
          Detach
        </Button>
      )}
      {volume.practice && (
        <Button size="small" kind="quiet" onClick={() => setOpen("remove")} aria-label={`Remove ${volume.name}`}>
          Remove
        </Button>
      )}
      <ConfirmDialog
        open={open === "attach"}
        onOpenChange={(next) => setOpen(next ? "attach" : null)}
        title={`Attach ${volume.name}?`}
        description={
          volume.mount
            ? `It is unmounted from ${volume.mount} for a moment and mounted there again through the engine. Programs that have files open on it must be stopped first.`
            : `The engine makes a live device over ${volume.source}.`
        }
        confirm="Attach"
        cancel="Leave as it is"
        busy={attach.isPending}
        error={attach.error && faultOf(attach.error).message}
        onConfirm={() =>
          attach.mutate(
            volume.mount
              ? { hostId: volume.hostId, source: volume.mount, remount: true }
              : { hostId: volume.hostId, source: volume.source, name: volume.name },
          )
        }
      />
      <ConfirmDialog
        open={open === "detach"}
        onOpenChange={(next) => setOpen(next ? "detach" : null)}
        title={`Detach ${volume.name}?`}
        description={`It is unmounted${volume.mount ? ` from ${volume.mount}` : ""}, and no snapshot of it can be taken until it is attached again. Its data stays in ${volume.source}.`}
        confirm="Detach"
        cancel="Leave attached"
        busy={detach.isPending}
        error={detach.error && faultOf(detach.error).message}
        onConfirm={() => detach.mutate(at)}
      />
      <ConfirmDialog
        open={open === "remove"}
        onOpenChange={(next) => setOpen(next ? "remove" : null)}
        title={`Remove ${volume.name}?`}
        description={`The practice volume and all ${formatBytes(volume.usedBytes)} in it are deleted. Backups that were made of it stay.`}
        confirm="Remove volume"
        typeName={volume.name}
        danger
        busy={remove.isPending}
        error={remove.error && faultOf(remove.error).message}
        onConfirm={() => remove.mutate(at)}
      />
    </span>
  );
}
