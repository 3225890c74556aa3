"use client";
import { useQuery } from "@tanstack/react-query";
import { Plus, Server } from "lucide-react";
import { useState } from "react";
import { Button } from "@/app/components/button";
import { EmptyState } from "@/app/components/empty-state";
import { PageHeader } from "@/app/components/page-header";
import { Unanswered } from "@/app/components/unanswered";
import { useTRPC } from "@/app/trpc/client";
import { May } from "../access/may";
import { AddHostDialog } from "./add-host-dialog";
import { HostCard } from "./host-card";

export function HostsView() {
  const trpc = useTRPC();
  const hosts = useQuery(trpc.hosts.list.queryOptions(undefined, { refetchInterval: 3000 }));
  const [adding, setAdding] = useState(false);
  return (
    <>
      <PageHeader
        title="Hosts"
        subtitle="Machines with a worker. It dials this console, so a host needs no open port; its runs go on while the console is away."
        actions={
          <May permission="manageHosts">
            <Button kind="primary" onClick={() => setAdding(true)}>
              <Plus aria-hidden /> Add a host
            </Button>
          </May>
        }
      />
      <AddHostDialog open={adding} onOpenChange={setAdding} />
      <Unanswered query={hosts} of="hosts" className="mb-4" />
      {hosts.data?.length === 0 && (
        <EmptyState icon={Server} title="No host has connected yet">
          This machine’s own worker is started together with the console and appears here within seconds.
        </EmptyState>
      )}
      <div className="space-y-4">
        {hosts.data?.map((host) => (
          <HostCard key={host.id} host={host} />
        ))}
      </div>
    </>
  );
}
