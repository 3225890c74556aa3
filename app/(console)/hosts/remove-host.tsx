"use client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { toast } from "sonner";
import { Button } from "@/app/components/button";
import { ConfirmDialog } from "@/app/components/confirm-dialog";
import { useTRPC } from "@/app/trpc/client";
import { faultOf } from "@/app/trpc/fault";
import type { HostView } from "@/server/core/contracts/views";

/** For another machine than the console's own. */
export function RemoveHost({ host }: { host: HostView }) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [asking, setAsking] = useState(false);
  const remove = useMutation(
    trpc.hosts.remove.mutationOptions({
      onSuccess: () => {
        setAsking(false);
        toast.success(`${host.name} is removed.`);
      },
      onSettled: () => queryClient.invalidateQueries({ queryKey: trpc.pathKey() }),
    }),
  );
  return (
    <>
      <Button
        onClick={() => {
          remove.reset();
          setAsking(true);
        }}
      >
        Remove
      </Button>
      <ConfirmDialog
        open={asking}
        onOpenChange={setAsking}
        title={`Remove ${host.name}?`}
        description="Its worker is let in no more. Its volumes stay mounted and served there, its runs and failures stay in the history. To have it back, add it anew. On the machine itself, stop the service stillframe-worker."
        typeName={host.name}
        confirm="Remove"
        danger
        busy={remove.isPending}
        error={remove.error ? faultOf(remove.error).message : null}
        onConfirm={() => remove.mutate({ hostId: host.id })}
      />
    </>
  );
}
