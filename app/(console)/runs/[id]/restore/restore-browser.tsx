"use client";
import { useQuery } from "@tanstack/react-query";
import { ChevronRight, File, Folder } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { Card, CardTitle } from "@/app/components/card";
import { Checkbox } from "@/app/components/checkbox";
import { Unanswered } from "@/app/components/unanswered";
import { useTRPC } from "@/app/trpc/client";
import type { RestoreEntry } from "@/server/core/contracts/host-methods";
import { formatBytes } from "@/server/core/text/bytes";
import { May } from "../../../access/may";
import { RestoreForm } from "./restore-form";

/** The files of a run's backup: look around, choose, restore to a directory. */
export function RestoreBrowser({ runId }: { runId: string }) {
  const trpc = useTRPC();
  const [path, setPath] = useState("/");
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const listing = useQuery(
    trpc.restore.list.queryOptions({ runId, path }, { staleTime: Number.POSITIVE_INFINITY, retry: false }),
  );
  // The first levels of a backup often hold one directory each: the browser opens where there is a choice.
  const descending = useRef(true);
  useEffect(() => {
    const [only, ...more] = listing.data ?? [];
    if (!listing.data || !descending.current) return;
    if (only?.type === "dir" && more.length === 0) setPath(only.path);
    else descending.current = false;
  }, [listing.data]);

  const open = (next: string) => {
    descending.current = false;
    setPath(next);
  };
  const toggle = (entry: RestoreEntry, on: boolean) => {
    const next = new Set(chosen);
    if (on) next.add(entry.path);
    else next.delete(entry.path);
    setChosen(next);
  };
  const covered = (entry: string) => [...chosen].some((one) => entry !== one && entry.startsWith(`${one}/`));
  return (
    <Card>
      <CardTitle aside={<span className="text-mute text-xs">as they were at the frozen instant</span>}>
        Restore files
      </CardTitle>
      <Crumbs path={path} onOpen={open} />
      <div className="my-2 max-h-80 overflow-y-auto rounded-lg border border-line">
        <Unanswered query={listing} of="list of files" className="m-3" />
        {listing.data?.length === 0 && <p className="p-4 text-mute">This folder is empty.</p>}
        <ul>
          {listing.data?.map((entry) => (
            <li key={entry.path} className="flex items-center gap-3 border-line border-t px-3 py-1.5 first:border-0">
              <Checkbox
                checked={chosen.has(entry.path) || covered(entry.path)}
                disabled={covered(entry.path)}
                onChange={(on) => toggle(entry, on)}
                label={`Choose ${entry.path}`}
              >
                <span className="sr-only">{`Choose ${entry.path}`}</span>
              </Checkbox>
              <EntryName entry={entry} onOpen={open} />
              <span className="ml-auto shrink-0 font-mono text-mute text-xs">
                {entry.type === "dir" ? "folder" : formatBytes(entry.sizeBytes)}
              </span>
            </li>
          ))}
        </ul>
      </div>
      <May permission="restore">
        <RestoreForm runId={runId} chosen={[...chosen]} onClear={() => setChosen(new Set())} />
      </May>
    </Card>
  );
}

function EntryName({ entry, onOpen }: { entry: RestoreEntry; onOpen: (path: string) => void }) {
  const name = entry.path.slice(entry.path.lastIndexOf("/") + 1);
  if (entry.type !== "dir")
    return (
      <span className="flex min-w-0 items-center gap-2">
        <File className="size-4 shrink-0 text-faint" aria-hidden />
        <span className="wrap-anywhere min-w-0">{name}</span>
      </span>
    );
  return (
    <button
      type="button"
      onClick={() => onOpen(entry.path)}
      className="flex min-w-0 items-center gap-2 rounded text-left font-medium hover:underline"
    >
      <Folder className="size-4 shrink-0 text-frozen" aria-hidden />
      <span className="wrap-anywhere min-w-0">{name}</span>
    </button>
  );
}

function Crumbs({ path, onOpen }: { path: string; onOpen: (path: string) => void }) {
  const parts = path.split("/").filter(Boolean);
  return (
    <nav aria-label="Folder" className="flex flex-wrap items-center gap-1 text-[0.8125rem]">
      {["/", ...parts].map((part, index) => {
        const here = index === parts.length;
        const target = `/${parts.slice(0, index).join("/")}`;
        return (
          <span key={target} className="flex items-center gap-1">
            {index > 0 && <ChevronRight className="size-3.5 text-faint" aria-hidden />}
            <button
              type="button"
              onClick={() => onOpen(target)}
              aria-current={here ? "location" : undefined}
              className={here ? "rounded px-1 font-medium" : "rounded px-1 text-mute hover:text-ink hover:underline"}
            >
              {index === 0 ? "backup" : part}
            </button>
          </span>
        );
      })}
    </nav>
  );
}
