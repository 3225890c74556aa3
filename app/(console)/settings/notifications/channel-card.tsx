"use client";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { toast } from "sonner";
import { Button } from "@/app/components/button";
import { Card } from "@/app/components/card";
import { ConfirmDialog } from "@/app/components/confirm-dialog";
import { plural } from "@/app/components/format";
import { Note } from "@/app/components/note";
import { Ago } from "@/app/components/time";
import { useTRPC } from "@/app/trpc/client";
import { faultOf } from "@/app/trpc/fault";
import type { ChannelView } from "@/server/core/contracts/notifications";
import { severityTexts } from "@/server/core/notifications/severity";
import { kindTexts } from "@/server/core/notifications/target";
import { ChannelDialog } from "./channel-dialog";
import { ChannelHealth } from "./channel-health";
import { quietText } from "./quiet-choices";
import { useNotificationsChange } from "./use-notifications-change";

export function ChannelCard({ channel }: { channel: ChannelView }) {
  const trpc = useTRPC();
  const change = useNotificationsChange();
  const [editing, setEditing] = useState(false);
  const [leaving, setLeaving] = useState(false);
  const test = useMutation(trpc.notifications.test.mutationOptions({ onSettled: change.onSettled }));
  const remove = useMutation(
    trpc.notifications.remove.mutationOptions({
      onSettled: change.onSettled,
      onSuccess: () => {
        toast.success(`The channel “${channel.name}” is removed.`);
        setLeaving(false);
      },
    }),
  );
  const { name, target, receiver, tells, quietMinutes, lastDelivered, lastError, waiting } = channel;
  return (
    <Card aria-label={`Channel ${name}`} className="flex h-full flex-col">
      <div className="mb-3 flex items-start justify-between gap-4">
        <div className="min-w-0">
          <h2 className="wrap-anywhere font-semibold">{name}</h2>
          <p className="wrap-anywhere text-[0.8125rem] text-mute">
            {kindTexts[target.kind].label} to {receiver}
          </p>
        </div>
        <ChannelHealth channel={channel} />
      </div>
      <dl className="mb-4 grid grid-cols-[6rem_1fr] gap-x-4 gap-y-1 text-[0.8125rem]">
        <dt className="text-mute">Tells</dt>
        <dd>{tells.map((severity) => severityTexts[severity].label).join(", ")}</dd>
        <dt className="text-mute">Jobs</dt>
        <dd className="wrap-anywhere">
          <JobNames jobIds={channel.jobIds} />
        </dd>
        <dt className="text-mute">Repetition</dt>
        <dd>{quietText(quietMinutes)}</dd>
        {lastDelivered && (
          <>
            <dt className="text-mute">Last delivery</dt>
            <dd className="wrap-anywhere">
              <Ago at={lastDelivered.at} />: {lastDelivered.title}
            </dd>
          </>
        )}
        {lastError && (
          <>
            <dt className="text-mute">Last error</dt>
            <dd className="wrap-anywhere">
              <Ago at={lastError.at} />: <span className="font-mono text-xs">{lastError.error}</span>
            </dd>
          </>
        )}
        {waiting > 0 && (
          <>
            <dt className="text-mute">Under way</dt>
            <dd>{waiting === 1 ? "1 message" : `${waiting} messages`}</dd>
          </>
        )}
      </dl>
      <div aria-live="polite">
        {test.data && (
          <Note
            tone={test.data.ok ? "good" : "loss"}
            title={test.data.ok ? "The receiver took the test message" : "The test message did not arrive"}
            className="mb-3"
          >
            <span className="font-mono text-xs">{test.data.answer}</span>
          </Note>
        )}
        {test.error && (
          <Note tone="loss" title="No test message was sent" className="mb-3">
            {faultOf(test.error).message}
          </Note>
        )}
      </div>
      <div className="mt-auto flex flex-wrap gap-1.5">
        <Button size="small" busy={test.isPending} onClick={() => test.mutate({ id: channel.id })}>
          Send a test<span className="sr-only"> to {name}</span>
        </Button>
        <Button size="small" onClick={() => setEditing(true)}>
          Edit<span className="sr-only"> {name}</span>
        </Button>
        <Button size="small" onClick={() => setLeaving(true)}>
          Remove<span className="sr-only"> {name}</span>
        </Button>
      </div>
      <ChannelDialog open={editing} onOpenChange={setEditing} channel={channel} />
      <ConfirmDialog
        open={leaving}
        onOpenChange={setLeaving}
        title={`Remove ${name}?`}
        description="Its secret, its latest messages and those that still wait are gone. Nobody is told by it any more."
        confirm="Remove"
        danger
        busy={remove.isPending}
        error={remove.error ? faultOf(remove.error).message : null}
        onConfirm={() => remove.mutate({ id: channel.id })}
      />
    </Card>
  );
}

function JobNames({ jobIds }: { jobIds: readonly string[] | null }) {
  const trpc = useTRPC();
  const jobs = useQuery(trpc.jobs.list.queryOptions()).data;
  if (jobIds === null) return "every job";
  if (!jobs) return plural(jobIds.length, "job");
  const names = jobs.filter(({ id }) => jobIds.includes(id)).map(({ name }) => name);
  return names.length > 0 ? names.join(", ") : "no job that is still there";
}
