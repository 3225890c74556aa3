"use client";
import { useMutation } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { toast } from "sonner";
import { Button } from "@/app/components/button";
import { saveFile } from "@/app/components/save-file";
import { useTRPC } from "@/app/trpc/client";
import { faultOf } from "@/app/trpc/fault";
import type { DiagnosticsBundle } from "@/server/core/contracts/views";

type DownloadDiagnosticsProps = {
  of: { hostId: string } | { failureId: string };
  /** What it is about, for assistive technology. */
  name: string;
};

/** The diagnostics bundle as a file to be handed on. */
export function DownloadDiagnostics({ of, name }: DownloadDiagnosticsProps) {
  const trpc = useTRPC();
  const then = {
    onSuccess: (bundle: DiagnosticsBundle) => {
      save(bundle);
      toast.success(`${bundle.fileName} is saved.`);
    },
    onError: (error: unknown) => void toast.error(faultOf(error).message, { duration: 12_000 }),
  };
  const ofHost = useMutation(trpc.hosts.diagnostics.mutationOptions(then));
  const ofFailure = useMutation(trpc.failures.diagnostics.mutationOptions(then));
  const busy = ofHost.isPending || ofFailure.isPending;
  return (
    <Button
      busy={busy}
      aria-label={`Download diagnostics of ${name}`}
      onClick={() => ("hostId" in of ? ofHost.mutate(of) : ofFailure.mutate({ id: of.failureId }))}
    >
      {!busy && <Download aria-hidden />}
      {busy ? "Gathering" : "Download diagnostics"}
    </Button>
  );
}

function save({ fileName, zip }: DiagnosticsBundle): void {
  const bytes = Uint8Array.from(atob(zip), (character) => character.charCodeAt(0));
  saveFile(fileName, new Blob([bytes], { type: "application/zip" }));
}
