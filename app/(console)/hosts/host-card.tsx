"use client";
import { useMutation } from "@tanstack/react-query";
import { CircleCheck, Unplug } from "lucide-react";
import { Button } from "@/app/components/button";
import { Card } from "@/app/components/card";
import { Note } from "@/app/components/note";
import { Ago } from "@/app/components/time";
import { useTRPC } from "@/app/trpc/client";
import { faultOf } from "@/app/trpc/fault";
import type { HostView } from "@/server/core/contracts/views";
import { May } from "../access/may";
import { DownloadDiagnostics } from "../troubleshoot/download-diagnostics";
import { Checklist } from "./checklist";

export function HostCard({ host }: { host: HostView }) {
  const trpc = useTRPC();
  const doctor = useMutation(trpc.hosts.doctor.mutationOptions());
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
        <May permission="troubleshoot">
          <span className="flex flex-wrap gap-2">
            <DownloadDiagnostics of={{ hostId: host.id }} name={host.name} />
            <Button
              kind={doctor.data ? "plain" : "primary"}
              busy={doctor.isPending}
              disabled={!host.connected}
              onClick={() => doctor.mutate({ hostId: host.id })}
            >
              {doctor.isPending ? "Testing" : doctor.data ? "Test again" : "Run the self-test"}
            </Button>
          </span>
        </May>
      </div>
      {doctor.isPending && (
        <p role="status" className="mt-4 text-mute">
          Looking at the kernel, then making a small volume, freezing it, overwriting it and comparing. Your volumes are
          not touched.
        </p>
      )}
      {doctor.error && (
        <Note tone="loss" title="The self-test could not be run" className="mt-4">
          {faultOf(doctor.error).message}
        </Note>
      )}
      {doctor.data && !doctor.isPending && <Checklist doctor={doctor.data} />}
    </Card>
  );
}
