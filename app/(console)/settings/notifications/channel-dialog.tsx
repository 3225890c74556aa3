"use client";
import { useMutation } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { toast } from "sonner";
import { Button } from "@/app/components/button";
import { Dialog, DialogActions } from "@/app/components/dialog";
import { Field } from "@/app/components/field";
import { Input } from "@/app/components/input";
import { Note } from "@/app/components/note";
import { Select } from "@/app/components/select";
import { Switch } from "@/app/components/switch";
import { useTRPC } from "@/app/trpc/client";
import { faultOf } from "@/app/trpc/fault";
import type { ChannelInput, ChannelKind, ChannelView } from "@/server/core/contracts/notifications";
import { kindTexts } from "@/server/core/notifications/target";
import { draftOf, emptyTargets, type Problems, problemsOf } from "./channel-draft";
import { quietOptions } from "./quiet-choices";
import { SecretField } from "./secret-field";
import { TargetFields } from "./target-fields";
import { TellsFields } from "./tells-fields";
import { useNotificationsChange } from "./use-notifications-change";

const kinds = (Object.keys(kindTexts) as ChannelKind[]).map((kind) => ({ value: kind, label: kindTexts[kind].label }));

type ChannelDialogProps = {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  /** Null: a new one. */
  channel: ChannelView | null;
};

export function ChannelDialog({ open, onOpenChange, channel }: ChannelDialogProps) {
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title={channel ? `Edit ${channel.name}` : "Add a channel"}>
      <ChannelForm channel={channel} onDone={() => onOpenChange(false)} />
    </Dialog>
  );
}

function ChannelForm({ channel, onDone }: { channel: ChannelView | null; onDone: () => void }) {
  const trpc = useTRPC();
  const { onSettled } = useNotificationsChange();
  const [draft, setDraft] = useState(() => draftOf(channel));
  const [problems, setProblems] = useState<Problems>({});
  const form = useRef<HTMLFormElement>(null);
  // The first of what is wrong may be out of sight.
  useEffect(() => {
    if (Object.keys(problems).length > 0) form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [problems]);
  const ends = {
    onSettled,
    onSuccess: () => {
      toast.success(`The channel “${draft.name}” is saved.`);
      onDone();
    },
  };
  const create = useMutation(trpc.notifications.create.mutationOptions(ends));
  const update = useMutation(trpc.notifications.update.mutationOptions(ends));
  const error = create.error ?? update.error;
  const fault = error ? faultOf(error) : null;
  const said = (field: string) => problems[field] ?? (fault?.field === field ? fault.message : null);
  const placed = fault?.field === "name" || fault?.field === "secret";
  const change = (part: Partial<ChannelInput>) => setDraft((present) => ({ ...present, ...part }));
  const { target } = draft;
  function save() {
    const found = problemsOf(draft, channel?.hasSecret ?? false);
    setProblems(found);
    if (Object.keys(found).length > 0) return;
    if (channel) update.mutate({ id: channel.id, channel: draft });
    else create.mutate(draft);
  }
  return (
    <form
      ref={form}
      noValidate
      className="space-y-4"
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      {!channel && (
        <Field label="Kind" hint={kindTexts[target.kind].does}>
          <Select
            value={target.kind}
            options={kinds}
            onChange={(kind) => {
              setProblems({});
              const { secret: _, ...rest } = draft;
              setDraft({ ...rest, target: emptyTargets[kind] });
            }}
          />
        </Field>
      )}
      <Field label="Name" error={said("name")} hint="As this list and the audit log call it.">
        <Input value={draft.name} autoComplete="off" onChange={(event) => change({ name: event.target.value })} />
      </Field>
      <TargetFields target={target} onChange={(next) => change({ target: next })} said={said} />
      <SecretField
        key={target.kind}
        target={target}
        secret={draft.secret}
        stored={channel?.hasSecret ?? false}
        error={said("secret")}
        onChange={(secret) => {
          const { secret: _, ...rest } = draft;
          setDraft(secret === undefined ? rest : { ...rest, secret });
        }}
      />
      <TellsFields draft={draft} onChange={change} said={said} />
      <Field label="The same failure again" hint="What is kept quiet is counted, and the count is told afterwards.">
        <Select
          value={String(draft.quietMinutes)}
          options={quietOptions(draft.quietMinutes)}
          onChange={(minutes) => change({ quietMinutes: Number(minutes) })}
        />
      </Field>
      <Field label="Switched on" hint={draft.enabled ? undefined : "What waits in it is given up."}>
        <Switch checked={draft.enabled} onChange={(enabled) => change({ enabled })} />
      </Field>
      {fault && !placed && <Note tone="loss">{fault.message}</Note>}
      <DialogActions>
        <Button onClick={onDone}>Cancel</Button>
        <Button type="submit" kind="primary" busy={create.isPending || update.isPending}>
          Save
        </Button>
      </DialogActions>
    </form>
  );
}
