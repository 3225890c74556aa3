"use client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { toast } from "sonner";
import { Button } from "@/app/components/button";
import { ConfirmDialog } from "@/app/components/confirm-dialog";
import { plural } from "@/app/components/format";
import { Note } from "@/app/components/note";
import { useTRPC } from "@/app/trpc/client";
import { faultOf } from "@/app/trpc/fault";
import type { CacheView } from "@/server/core/contracts/views";
import { formatBytes } from "@/server/core/text/bytes";
import { May } from "../access/may";

type OrphansProps = { hostId: string; hostName: string; orphans: CacheView["orphans"] };

/** Cache files that no engine holds, and their removal. */
export function Orphans({ hostId, hostName, orphans }: OrphansProps) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [open, setOpen] = useState(false);
  const remove = useMutation(
    trpc.cache.removeOrphans.mutationOptions({
      onSuccess: ({ removed, freedBytes }) => {
        setOpen(false);
        toast.success(`${plural(removed.length, "file")} removed, ${formatBytes(freedBytes)} free again.`);
      },
      onSettled: () => queryClient.invalidateQueries({ queryKey: trpc.cache.pathKey() }),
    }),
  );
  const total = orphans.reduce((sum, one) => sum + one.sizeBytes, 0);
  return (
    <Note
      tone="warn"
      title={`${plural(orphans.length, "orphaned cache file")} on ${hostName}, ${formatBytes(total)}`}
      action={
        <May permission="troubleshoot">
          <Button size="small" onClick={() => setOpen(true)}>
            Remove
          </Button>
        </May>
      }
    >
      <ul>
        {orphans.map((one) => (
          <li key={one.path} className="wrap-anywhere font-mono text-xs">
            {one.path}, {formatBytes(one.sizeBytes)}
          </li>
        ))}
      </ul>
      <ConfirmDialog
        open={open}
        onOpenChange={setOpen}
        title={`Remove ${plural(orphans.length, "orphaned cache file")}?`}
        description="No snapshot uses them: they were left by an engine that is gone. Open snapshots are not touched."
        confirm="Remove files"
        busy={remove.isPending}
        error={remove.error && faultOf(remove.error).message}
        onConfirm={() => remove.mutate({ hostId })}
      />
    </Note>
  );
}
