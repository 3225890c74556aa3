"use client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Button } from "@/app/components/button";
import { ConfirmDialog } from "@/app/components/confirm-dialog";
import { Note } from "@/app/components/note";
import { useTRPC } from "@/app/trpc/client";
import { faultOf } from "@/app/trpc/fault";
import type { HostView } from "@/server/core/contracts/views";
import { May } from "../access/may";
import { DownloadDiagnostics } from "../troubleshoot/download-diagnostics";
import { Checklist, RepairList } from "./checklist";
import { RemoveHost } from "./remove-host";

type Work = "doctor" | "repair" | "restart";

/** What can be done with a host from here, and below it the result of the last press. */
export function HostActions({ host }: { host: HostView }) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [asking, setAsking] = useState<"repair" | "restart" | null>(null);
  const [last, setLast] = useState<Work | null>(null);
  const onSettled = () => queryClient.invalidateQueries({ queryKey: trpc.pathKey() });
  const works = {
    doctor: useMutation(trpc.hosts.doctor.mutationOptions()),
    repair: useMutation(trpc.hosts.repair.mutationOptions({ onSettled })),
    restart: useMutation(trpc.hosts.restartWorker.mutationOptions({ onSettled })),
  };
  const { doctor, repair, restart } = works;
  const busy = doctor.isPending || repair.isPending || restart.isPending;
  const begin = (work: Work) => {
    setAsking(null);
    setLast(work);
    works[work].mutate({ hostId: host.id });
  };
  const error = last && works[last].error;
  return (
    <>
      <div className="mt-4 flex flex-wrap gap-2 border-line border-t pt-4">
        <Button
          busy={doctor.isPending}
          disabled={!host.connected || (busy && !doctor.isPending)}
          onClick={() => begin("doctor")}
        >
          {doctor.isPending ? "Testing" : doctor.data ? "Test again" : "Run the self-test"}
        </Button>
        <Button
          busy={repair.isPending}
          disabled={!host.connected || (busy && !repair.isPending)}
          onClick={() => setAsking("repair")}
        >
          Repair
        </Button>
        <Button busy={restart.isPending} disabled={busy && !restart.isPending} onClick={() => setAsking("restart")}>
          Restart the worker
        </Button>
        <DownloadDiagnostics of={{ hostId: host.id }} name={host.name} />
        {!host.local && (
          <May permission="manageHosts">
            <RemoveHost host={host} />
          </May>
        )}
      </div>
      {busy && last && (
        <p role="status" className="mt-4 text-mute">
          {underWay[last]}
        </p>
      )}
      {error && !busy && (
        <Note tone="loss" title={notDone[last]} className="mt-4">
          {faultOf(error).message}
        </Note>
      )}
      {!busy && last === "doctor" && doctor.data && <Checklist doctor={doctor.data} />}
      {!busy && last === "repair" && repair.data && <RepairList found={repair.data} />}
      {!busy && last === "restart" && restart.data && (
        <Note tone="good" title={restart.data.message} className="mt-4" />
      )}
      <ConfirmDialog
        open={asking !== null}
        onOpenChange={(open) => !open && setAsking(null)}
        title={asking === "repair" ? `Repair ${host.name}?` : `Restart the worker of ${host.name}?`}
        description={
          asking === "repair"
            ? "Engines that do not answer are taken up anew, volumes that should be attached and mounted are, clean-ups that were interrupted end, and orphaned caches are removed. What a run is at is left alone."
            : "Volumes stay mounted and snapshots open: their engines go on without it. It is refused while a run is on."
        }
        confirm={asking === "repair" ? "Repair" : "Restart"}
        cancel="Leave as it is"
        onConfirm={() => asking && begin(asking)}
      />
    </>
  );
}

const underWay: Record<Work, string> = {
  doctor:
    "Looking at the kernel, then making a small volume, freezing it, overwriting it and comparing. Your volumes are not touched.",
  repair: "Looking at each volume of the host, at what runs left behind and at its cache files.",
  restart: "Waiting until the worker is connected again. This takes some seconds, at most a minute and a half.",
};

const notDone: Record<Work, string> = {
  doctor: "The self-test could not be run",
  repair: "The repair could not be made",
  restart: "The worker was not restarted",
};
