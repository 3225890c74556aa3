"use client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { Button } from "@/app/components/button";
import { Card, CardTitle } from "@/app/components/card";
import { Note } from "@/app/components/note";
import { useTRPC } from "@/app/trpc/client";
import { faultOf } from "@/app/trpc/fault";

const MOST_BYTES = 512 * 1024;

async function base64Of(file: File): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/** Takes `DoSingleVolumeSnap` over from a `.reg` export, in whatever encoding the registry editor wrote it. */
export function RegImport() {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const input = useRef<HTMLInputElement>(null);
  const [file, setFile] = useState<{ name: string; problem: string | null } | null>(null);
  const load = useMutation(
    trpc.settings.importReg.mutationOptions({
      onSuccess: ({ settings }) => {
        queryClient.setQueryData(trpc.settings.get.queryKey(), settings);
        void queryClient.invalidateQueries({ queryKey: trpc.jobs.pathKey() });
      },
    }),
  );
  async function take(chosen: File | undefined) {
    if (!chosen) return;
    load.reset();
    const large = chosen.size > MOST_BYTES;
    setFile({ name: chosen.name, problem: large ? "The file is too large for a registry export of one key." : null });
    if (!large) load.mutate({ content: await base64Of(chosen) });
    if (input.current) input.current.value = "";
  }
  const problem = file?.problem ?? (load.error ? faultOf(load.error).message : null);
  return (
    <Card>
      <CardTitle>Take it over from Backup Exec</CardTitle>
      <p className="text-mute">
        A <code className="font-mono text-[0.8125rem]">.reg</code> export of the key{" "}
        <code className="wrap-anywhere font-mono text-[0.8125rem]">…\Backup Exec\Engine\Backup</code>. Its value{" "}
        <code className="font-mono text-[0.8125rem]">DoSingleVolumeSnap</code> sets the switch above; nothing else is
        read.
      </p>
      <div className="mt-3 flex flex-wrap items-center gap-3">
        <input
          ref={input}
          type="file"
          accept=".reg"
          id="reg-file"
          className="sr-only"
          tabIndex={-1}
          aria-label="Registry export"
          onChange={(event) => void take(event.target.files?.[0])}
        />
        <Button busy={load.isPending} onClick={() => input.current?.click()}>
          Choose a .reg file
        </Button>
        {file && <span className="wrap-anywhere text-mute">{file.name}</span>}
      </div>
      {problem && (
        <Note tone="loss" title="Nothing was changed" className="mt-3">
          {problem}
        </Note>
      )}
      {load.data && (
        <Note
          tone="good"
          title={`One at a time is now ${load.data.settings.oneAtATime ? "on" : "off"}`}
          className="mt-3"
        >
          <code className="font-mono">DoSingleVolumeSnap</code> is {load.data.value} under{" "}
          <code className="wrap-anywhere font-mono">{load.data.key}</code>.
        </Note>
      )}
    </Card>
  );
}
