"use client";
import { useQuery } from "@tanstack/react-query";
import { Bell, CircleAlert } from "lucide-react";
import Link from "next/link";
import { Card, CardTitle } from "@/app/components/card";
import { Unanswered } from "@/app/components/unanswered";
import { useTRPC } from "@/app/trpc/client";
import type { JobChannel } from "@/server/core/contracts/notifications";
import { severityTexts } from "@/server/core/notifications/severity";
import { May } from "../../access/may";

/** Who hears of this job's ends, and of which. Null: of a job that is still to be made. */
export function NotificationsCard({ jobId }: { jobId: string | null }) {
  const trpc = useTRPC();
  const found = useQuery(trpc.notifications.ofJob.queryOptions({ jobId }));
  const channels = found.data;
  return (
    <Card>
      <CardTitle
        aside={
          <May permission="manageNotifications">
            <Link href="/settings/notifications" className="text-[0.8125rem] text-accent hover:underline">
              Channels
            </Link>
          </May>
        }
      >
        Notifications
      </CardTitle>
      <Unanswered query={found} of="channels" />
      {channels?.length === 0 && (
        <p className="text-mute">
          Nobody is told how {jobId === null ? "a new job" : "this job"} ends: no channel is on that is for every job
          {jobId === null ? "" : " or for this one"}.
        </p>
      )}
      {channels && channels.length > 0 && (
        <ul className="space-y-2">
          {channels.map((channel) => (
            <li key={channel.name} className="grid grid-cols-[1.25rem_1fr] gap-x-3">
              <Bell className="mt-0.5 size-4 text-mute" aria-hidden />
              <span className="wrap-anywhere">
                <b className="font-medium">{channel.name}</b>{" "}
                <span className="text-mute">tells of {toldWords(channel.tells)}</span>
              </span>
              {channel.failing && (
                <span className="col-start-2 mt-0.5 flex items-center gap-1.5 text-[0.8125rem] text-loss-ink">
                  <CircleAlert className="size-4 shrink-0" aria-hidden />
                  Its last message was not delivered
                </span>
              )}
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

const toldWords = (tells: JobChannel["tells"]) =>
  new Intl.ListFormat("en").format(tells.map((one) => severityTexts[one].label.toLowerCase()));
