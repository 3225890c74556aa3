"use client";
import { useMutation, useQuery } from "@tanstack/react-query";
import { CircleCheck } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { Button } from "@/app/components/button";
import { copyText } from "@/app/components/copy-text";
import { Dialog, DialogActions } from "@/app/components/dialog";
import { Field } from "@/app/components/field";
import { Input, TextArea } from "@/app/components/input";
import { Note } from "@/app/components/note";
import { Time } from "@/app/components/time";
import { useTRPC } from "@/app/trpc/client";
import { faultOf } from "@/app/trpc/fault";
import type { HostInvitation } from "@/server/core/contracts/joining";
import { addressProblem, joinCommand, likelyAddress } from "./join-command";

type AddHostDialogProps = { open: boolean; onOpenChange: (open: boolean) => void };

/** One command to paste on the machine that is to be a host; it is shown there as soon as it connects. */
export function AddHostDialog({ open, onOpenChange }: AddHostDialogProps) {
  return (
    <Dialog
      open={open}
      onOpenChange={onOpenChange}
      title="Add a host"
      description="A Linux machine with Node 20.9 or newer becomes a host by one command, run there as root. It fetches this console’s own worker and engine, and from then on dials this console: it needs no open port."
    >
      {open && <AddHost onDone={() => onOpenChange(false)} />}
    </Dialog>
  );
}

function AddHost({ onDone }: { onDone: () => void }) {
  const trpc = useTRPC();
  const { mutate, data, error, reset } = useMutation(trpc.hosts.invite.mutationOptions());
  const asked = useRef(false);
  useEffect(() => {
    if (asked.current) return;
    asked.current = true;
    mutate({});
  }, [mutate]);
  if (error) {
    return (
      <>
        <Note tone="loss" title="The command could not be made">
          {faultOf(error).message}
        </Note>
        <DialogActions>
          <Button onClick={onDone}>Close</Button>
          <Button
            kind="primary"
            onClick={() => {
              reset();
              mutate({});
            }}
          >
            Try again
          </Button>
        </DialogActions>
      </>
    );
  }
  if (!data) return <p role="status">Making a command…</p>;
  return <Command invitation={data} onDone={onDone} />;
}

function Command({ invitation, onDone }: { invitation: HostInvitation; onDone: () => void }) {
  const [address, setAddress] = useState(() => likelyAddress(window.location.origin, invitation.origin));
  const problem = addressProblem(address);
  const command = joinCommand(address, invitation.token);
  return (
    <div className="space-y-4">
      <Field label="This console’s address, as the new host reaches it" error={problem?.refused ? problem.text : null}>
        <Input
          value={address}
          onChange={(event) => setAddress(event.target.value)}
          autoComplete="off"
          spellCheck={false}
          inputMode="url"
        />
      </Field>
      {problem && !problem.refused && <Note tone="warn">{problem.text}</Note>}
      <Field
        label="Command"
        hint={
          <>
            Good for one machine, until <Time at={invitation.expiresAt} />, and not shown again.
          </>
        }
      >
        <TextArea
          readOnly
          rows={3}
          value={problem?.refused ? "" : command}
          onFocus={(event) => event.target.select()}
          className="resize-none break-all font-mono text-xs leading-5"
        />
      </Field>
      <Arrivals />
      <DialogActions>
        <Button onClick={onDone}>Done</Button>
        <Button kind="primary" onClick={() => copyText(command, "command")} disabled={problem?.refused === true}>
          Copy
        </Button>
      </DialogActions>
    </div>
  );
}

/** The hosts that came since the dialog was opened. */
function Arrivals() {
  const trpc = useTRPC();
  const hosts = useQuery(trpc.hosts.list.queryOptions(undefined, { refetchInterval: 2000 }));
  const [before] = useState(() => new Set(hosts.data?.flatMap(({ id, connected }) => (connected ? [id] : []))));
  const arrived = hosts.data?.filter(({ id, connected }) => connected && !before.has(id)) ?? [];
  return (
    <div role="status" className="text-[0.8125rem]">
      {arrived.length === 0 && <span className="text-mute">Waiting for it to connect…</span>}
      {arrived.map(({ id, name }) => (
        <p key={id} className="flex items-center gap-1.5 text-accent">
          <CircleCheck className="size-4 shrink-0" aria-hidden />
          <span>
            <strong className="font-semibold">{name}</strong> is connected.
          </span>
        </p>
      ))}
    </div>
  );
}
