"use client";
import { CircleCheck, Unplug } from "lucide-react";
import { Card } from "@/app/components/card";
import { Ago } from "@/app/components/time";
import type { HostView } from "@/server/core/contracts/views";
import { May } from "../access/may";
import { HostActions } from "./host-actions";

export function HostCard({ host }: { host: HostView }) {
  return (
    <Card>
      <div className="flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
        <div className="min-w-0">
          <h2 className="flex flex-wrap items-center gap-3 font-semibold text-base tracking-tight">
            {host.name}
            {host.connected ? (
              <span className="inline-flex items-center gap-1.5 font-normal text-[0.8125rem] text-accent">
                <CircleCheck className="size-4" aria-hidden /> Connected
              </span>
            ) : (
              <span className="inline-flex items-center gap-1.5 font-normal text-[0.8125rem] text-loss-ink">
                <Unplug className="size-4" aria-hidden /> Not connected
              </span>
            )}
          </h2>
          <dl className="mt-2 flex flex-wrap gap-x-6 gap-y-1 text-[0.8125rem]">
            {[
              ["Host name", host.hostname],
              ["Worker", host.version],
              ["Kernel", host.kernel],
            ].map(([name, value]) => (
              <div key={name} className="flex gap-2">
                <dt className="text-mute">{name}</dt>
                <dd className="wrap-anywhere font-mono text-xs leading-5">{value || "–"}</dd>
              </div>
            ))}
            <div className="flex gap-2">
              <dt className="text-mute">Last heard</dt>
              <dd>{host.lastSeenAt ? <Ago at={host.lastSeenAt} /> : "never"}</dd>
            </div>
          </dl>
        </div>
      </div>
      <May permission="troubleshoot">
        <HostActions host={host} />
      </May>
    </Card>
  );
}
