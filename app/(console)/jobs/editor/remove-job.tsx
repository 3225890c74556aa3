"use client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { useState } from "react";
import { toast } from "sonner";
import { Button } from "@/app/components/button";
import { ConfirmDialog } from "@/app/components/confirm-dialog";
import { useTRPC } from "@/app/trpc/client";
import { faultOf } from "@/app/trpc/fault";
import type { JobView } from "@/server/core/contracts/views";

export function RemoveJob({ job }: { job: JobView }) {
  const trpc = useTRPC();
  const router = useRouter();
  const queryClient = useQueryClient();
  const [open, setOpen] = useState(false);
  const remove = useMutation(
    trpc.jobs.remove.mutationOptions({
      onSuccess: () => {
        toast.success(`${job.name} is deleted.`);
        void queryClient.invalidateQueries({ queryKey: trpc.jobs.list.queryKey() });
        router.push("/jobs");
      },
    }),
  );
  return (
    <>
      <Button kind="quiet" onClick={() => setOpen(true)}>
        Delete
      </Button>
      <ConfirmDialog
        open={open}
        onOpenChange={setOpen}
        title={`Delete ${job.name}?`}
        description={
          job.destination.kind === "restic"
            ? `The job and its stored password are deleted. The backups in ${job.destination.repository} stay, but can only be opened by who knows the password.`
            : "The job is deleted. What its command made stays."
        }
        confirm="Delete job"
        typeName={job.name}
        danger
        busy={remove.isPending}
        error={remove.error && faultOf(remove.error).message}
        onConfirm={() => remove.mutate({ id: job.id })}
      />
    </>
  );
}
