"use client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { toast } from "sonner";
import { Button } from "@/app/components/button";
import { Dialog, DialogActions } from "@/app/components/dialog";
import { Note } from "@/app/components/note";
import { useTRPC } from "@/app/trpc/client";
import { faultOf } from "@/app/trpc/fault";
import type { HostView } from "@/server/core/contracts/views";
import { HostChoice } from "./host-choice";
import { PracticeFields, practiceDefaults } from "./practice-fields";

type PracticeDialogProps = { hosts: readonly HostView[]; open: boolean; onOpenChange: (open: boolean) => void };

export function PracticeDialog({ hosts, open, onOpenChange }: PracticeDialogProps) {
  return (
    <Dialog
      open={open}
      onOpenChange={onOpenChange}
      title="New practice volume"
      description="A file on the host with a file system in it, attached and mounted like any other volume. It can be removed again with everything of it."
    >
      <PracticeForm key={String(open)} hosts={hosts} onDone={() => onOpenChange(false)} />
    </Dialog>
  );
}

const KNOWN = ["name", "sizeBytes", "fs"];

function PracticeForm({ hosts, onDone }: { hosts: readonly HostView[]; onDone: () => void }) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [hostId, setHostId] = useState((hosts.find((host) => host.connected) ?? hosts[0])?.id ?? "");
  const [draft, setDraft] = useState(practiceDefaults);
  const create = useMutation(
    trpc.volumes.createPractice.mutationOptions({
      onSuccess: (volume) => {
        toast.success(`${volume.name} is there, mounted at ${volume.mount ?? "its place"}.`);
        onDone();
      },
      onSettled: () => queryClient.invalidateQueries({ queryKey: trpc.volumes.pathKey() }),
    }),
  );
  const fault = create.error ? faultOf(create.error) : null;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        create.mutate({ hostId, ...draft, sizeBytes: draft.sizeBytes ?? Number.NaN });
      }}
    >
      <HostChoice hosts={hosts} value={hostId} onChange={setHostId} />
      <PracticeFields draft={draft} onChange={setDraft} fault={fault} />
      {fault && !KNOWN.includes(fault.field ?? "") && (
        <Note tone="loss" title="Not created" className="mt-3">
          {fault.message}
        </Note>
      )}
      <DialogActions>
        <Button type="submit" kind="primary" busy={create.isPending} disabled={draft.name.trim() === ""}>
          {create.isPending ? "Creating" : "Create volume"}
        </Button>
      </DialogActions>
    </form>
  );
}
