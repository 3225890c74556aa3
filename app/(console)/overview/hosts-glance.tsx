"use client";
import { CircleCheck, Unplug } from "lucide-react";
import Link from "next/link";
import { Card, CardTitle } from "@/app/components/card";
import { Ago } from "@/app/components/time";
import type { Overview } from "@/server/core/contracts/views";
import { More } from "./more";

type HostsGlanceProps = { hosts: Overview["hosts"]; totals: Overview["totals"] };

export function HostsGlance({ hosts, totals }: HostsGlanceProps) {
  return (
    <Card>
      <CardTitle
        aside={
          <Link href="/hosts" className="text-[0.8125rem] text-accent hover:underline">
            Hosts
          </Link>
        }
      >
        Hosts
      </CardTitle>
      <ul className="space-y-2">
        {hosts.map((host) => (
          <li key={host.id} className="flex flex-wrap items-center justify-between gap-x-3">
            <span className="font-medium">{host.name}</span>
            {host.connected ? (
              <span className="inline-flex items-center gap-1.5 text-accent text-xs">
                <CircleCheck className="size-4" aria-hidden /> connected
              </span>
            ) : (
              <span className="inline-flex items-center gap-1.5 text-loss-ink text-xs">
                <Unplug className="size-4" aria-hidden />
                <span>last heard {host.lastSeenAt ? <Ago at={host.lastSeenAt} /> : "never"}</span>
              </span>
            )}
          </li>
        ))}
      </ul>
      <More shown={hosts.length} of={totals.hosts} what="host" href="/hosts" />
    </Card>
  );
}
