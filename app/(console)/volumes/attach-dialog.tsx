"use client";
import { zodResolver } from "@hookform/resolvers/zod";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Controller, useForm } from "react-hook-form";
import { toast } from "sonner";
import { z } from "zod";
import { Button } from "@/app/components/button";
import { Checkbox } from "@/app/components/checkbox";
import { Dialog, DialogActions } from "@/app/components/dialog";
import { Field } from "@/app/components/field";
import { Input } from "@/app/components/input";
import { Note } from "@/app/components/note";
import { useTRPC } from "@/app/trpc/client";
import { faultOf } from "@/app/trpc/fault";
import { absolutePath } from "@/server/core/contracts/job";
import type { HostView } from "@/server/core/contracts/views";
import { HostChoice } from "./host-choice";

type AttachDialogProps = { hosts: readonly HostView[]; open: boolean; onOpenChange: (open: boolean) => void };

export function AttachDialog({ hosts, open, onOpenChange }: AttachDialogProps) {
  return (
    <Dialog
      open={open}
      onOpenChange={onOpenChange}
      title="Attach a volume"
      description="From then on its writes pass the engine, and a snapshot takes an instant. The engine adds nothing to the data: detached, it mounts as before."
    >
      <AttachForm key={String(open)} hosts={hosts} onDone={() => onOpenChange(false)} />
    </Dialog>
  );
}

const schema = z.object({ source: absolutePath, name: z.string(), mount: z.string(), remount: z.boolean() });
const fields = ["source", "name", "mount", "remount"] as const;

function AttachForm({ hosts, onDone }: { hosts: readonly HostView[]; onDone: () => void }) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [hostId, setHostId] = useState((hosts.find((host) => host.connected) ?? hosts[0])?.id ?? "");
  const attach = useMutation(trpc.volumes.attach.mutationOptions());
  const form = useForm({
    resolver: zodResolver(schema),
    defaultValues: { source: "", name: "", mount: "", remount: false },
  });
  const { errors } = form.formState;
  const submit = form.handleSubmit(async ({ source, name, mount, remount }) => {
    try {
      const volume = await attach.mutateAsync({
        hostId,
        source,
        remount,
        ...(name ? { name } : {}),
        ...(mount ? { mount } : {}),
      });
      toast.success(`${volume.name} is attached.`);
      onDone();
    } catch (error) {
      const fault = faultOf(error);
      form.setError(fields.find((field) => field === fault.field) ?? "root", { message: fault.message });
    }
    await queryClient.invalidateQueries({ queryKey: trpc.volumes.pathKey() });
  });
  return (
    <form onSubmit={submit} noValidate className="space-y-3.5">
      <HostChoice hosts={hosts} value={hostId} onChange={setHostId} />
      <Field
        label="Source"
        hint="A block device, an image file, or the mount point of one."
        error={errors.source?.message}
      >
        <Input className="font-mono" placeholder="/dev/vdb1" spellCheck={false} {...form.register("source")} />
      </Field>
      <Field label="Name" hint="Empty: its mount point." error={errors.name?.message}>
        <Input spellCheck={false} {...form.register("name")} />
      </Field>
      <Field label="Mount at" hint="Empty: not mounted, or where it is mounted now." error={errors.mount?.message}>
        <Input className="font-mono" spellCheck={false} {...form.register("mount")} />
      </Field>
      <Controller
        control={form.control}
        name="remount"
        render={({ field }) => (
          <Checkbox
            checked={field.value}
            onChange={field.onChange}
            label="Unmount it for a moment if it is mounted, and mount it again through the engine"
          />
        )}
      />
      {(errors.root ?? errors.remount) && (
        <Note tone="loss" title="Not attached">
          {(errors.root ?? errors.remount)?.message}
        </Note>
      )}
      <DialogActions>
        <Button type="submit" kind="primary" busy={attach.isPending}>
          Attach
        </Button>
      </DialogActions>
    </form>
  );
}
