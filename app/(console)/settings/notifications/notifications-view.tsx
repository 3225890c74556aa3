"use client";
import { useQuery } from "@tanstack/react-query";
import { BellRing, Plus } from "lucide-react";
import { useState } from "react";
import { Button } from "@/app/components/button";
import { Card, CardTitle } from "@/app/components/card";
import { EmptyState } from "@/app/components/empty-state";
import { Note } from "@/app/components/note";
import { PageHeader } from "@/app/components/page-header";
import { Unanswered } from "@/app/components/unanswered";
import { useTRPC } from "@/app/trpc/client";
import { useMay } from "../../access/may";
import { ChannelCard } from "./channel-card";
import { ChannelDialog } from "./channel-dialog";
import { DeliveriesTable } from "./deliveries-table";

const AGAIN_MS = 3000;

export function NotificationsView() {
  const trpc = useTRPC();
  const allowed = useMay("manageNotifications");
  const polled = { enabled: allowed, refetchInterval: AGAIN_MS };
  const channels = useQuery(trpc.notifications.list.queryOptions(undefined, polled));
  const deliveries = useQuery(trpc.notifications.deliveries.queryOptions({}, polled));
  const [making, setMaking] = useState(false);
  const add = (
    <Button kind="primary" onClick={() => setMaking(true)}>
      <Plus aria-hidden />
      Add a channel
    </Button>
  );
  const empty = channels.data?.length === 0;
  return (
    <>
      <PageHeader
        title="Notifications"
        subtitle="Who is told when a job fails, warns or works again."
        actions={allowed && channels.data && !empty && add}
      />
      {!allowed && <Note title="Only administrators see this place">Ask one of them for what you need.</Note>}
      <Unanswered query={channels} of="channels" className="mb-4" />
      {empty && (
        <EmptyState icon={BellRing} title="Nobody is told yet" action={add}>
          Add a channel (e-mail, a webhook, ntfy or a Slack-compatible chat), and hear of a failed backup before
          somebody needs it.
        </EmptyState>
      )}
      {channels.data && channels.data.length > 0 && (
        <div className="space-y-4">
          <ul className="grid gap-4 xl:grid-cols-2">
            {channels.data.map((channel) => (
              <li key={channel.id} className="min-w-0">
                <ChannelCard channel={channel} />
              </li>
            ))}
          </ul>
          <Card>
            <CardTitle>Latest messages</CardTitle>
            <Unanswered query={deliveries} of="latest messages" />
            {deliveries.data?.length === 0 && (
              <p className="text-mute">None yet. A channel’s test button sends the first.</p>
            )}
            {deliveries.data && deliveries.data.length > 0 && <DeliveriesTable deliveries={deliveries.data} />}
          </Card>
        </div>
      )}
      <ChannelDialog open={making} onOpenChange={setMaking} channel={null} />
    </>
  );
}
