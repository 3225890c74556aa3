"use client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Eye } from "lucide-react";
import { useState } from "react";
import { toast } from "sonner";
import { Button } from "@/app/components/button";
import { Dialog, DialogActions } from "@/app/components/dialog";
import { Field } from "@/app/components/field";
import { TextArea } from "@/app/components/input";
import { Note } from "@/app/components/note";
import { Time } from "@/app/components/time";
import { useTRPC } from "@/app/trpc/client";
import { faultOf } from "@/app/trpc/fault";
import type { FailureGroup } from "@/server/core/contracts/views";
import { May } from "../access/may";

/** Who said that they know of it; for those who may, the way to say so or to take it back. */
export function Acknowledgement({ group }: { group: FailureGroup }) {
  const { acknowledgement, newest, resolved } = group;
  if (acknowledgement)
    return (
      <span className="inline-flex flex-wrap items-center gap-x-2 gap-y-1 text-[0.8125rem]">
        <span className="flex min-w-0 gap-2">
          <Eye className="mt-0.5 size-4 shrink-0 text-mute" aria-hidden />
          <span className="wrap-anywhere min-w-0">
            Acknowledged by {acknowledgement.by}, <Time at={acknowledgement.at} />
            {acknowledgement.note && <>: “{acknowledgement.note}”</>}
          </span>
        </span>
        <May permission="troubleshoot">
          <TakeBack id={newest.id} />
        </May>
      </span>
    );
  if (resolved) return null;
  return (
    <May permission="troubleshoot">
      <Acknowledge group={group} />
    </May>
  );
}

function useFailuresChanged() {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  return () => {
    void queryClient.invalidateQueries({ queryKey: trpc.failures.pathKey() });
    void queryClient.invalidateQueries({ queryKey: trpc.overview.pathKey() });
  };
}

function TakeBack({ id }: { id: string }) {
  const trpc = useTRPC();
  const changed = useFailuresChanged();
  const takeBack = useMutation(
    trpc.failures.takeBack.mutationOptions({
      onError: (error) => toast.error(faultOf(error).message),
      onSettled: changed,
    }),
  );
  return (
    <Button size="small" kind="quiet" busy={takeBack.isPending} onClick={() => takeBack.mutate({ id })}>
      Take back
    </Button>
  );
}

function Acknowledge({ group: { newest } }: { group: FailureGroup }) {
  const trpc = useTRPC();
  const changed = useFailuresChanged();
  const [open, setOpen] = useState(false);
  const [note, setNote] = useState("");
  const acknowledge = useMutation(
    trpc.failures.acknowledge.mutationOptions({ onSuccess: () => setOpen(false), onSettled: changed }),
  );
  return (
    <>
      <Button
        size="small"
        onClick={() => setOpen(true)}
        aria-label={`Acknowledge ${newest.code} of ${newest.job.name}`}
      >
        Acknowledge
      </Button>
      <Dialog
        open={open}
        onOpenChange={setOpen}
        title="Acknowledge this failure?"
        description="It no longer counts as something that needs attention, also when it happens again, until the job succeeds. Everybody sees who acknowledged it."
      >
        <form
          onSubmit={(event) => {
            event.preventDefault();
            acknowledge.mutate({ id: newest.id, note });
          }}
        >
          <Field label="Note" hint="What is being done about it. May be left empty.">
            <TextArea rows={3} maxLength={500} value={note} onChange={(event) => setNote(event.target.value)} />
          </Field>
          {acknowledge.error && (
            <Note tone="loss" className="mt-3">
              {faultOf(acknowledge.error).message}
            </Note>
          )}
          <DialogActions>
            <Button onClick={() => setOpen(false)}>Cancel</Button>
            <Button type="submit" kind="primary" busy={acknowledge.isPending}>
              Acknowledge
            </Button>
          </DialogActions>
        </form>
      </Dialog>
    </>
  );
}
