"use client";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { toast } from "sonner";
import { Button } from "@/app/components/button";
import { ConfirmDialog } from "@/app/components/confirm-dialog";
import { useTRPC } from "@/app/trpc/client";
import { faultOf } from "@/app/trpc/fault";
import type { Run } from "@/server/core/contracts/run";

export function CancelRun({ run }: { run: Run }) {
  const trpc = useTRPC();
  const [open, setOpen] = useState(false);
  const cancel = useMutation(
    trpc.runs.cancel.mutationOptions({
      onSuccess: () => {
        setOpen(false);
        toast("Cancelling: snapshots and caches are being released.");
      },
    }),
  );
  return (
    <>
      <Button onClick={() => setOpen(true)}>Cancel run</Button>
      <ConfirmDialog
        open={open}
        onOpenChange={setOpen}
        title={`Cancel run ${run.number} of ${run.job.name}?`}
        description="The backup that is under way is lost; earlier ones are kept. Snapshots and caches are released, and the live volumes go on."
        confirm="Cancel the run"
        cancel="Let it go on"
        danger
        busy={cancel.isPending}
        error={cancel.error && faultOf(cancel.error).message}
        onConfirm={() => cancel.mutate({ id: run.id })}
      />
    </>
  );
}
