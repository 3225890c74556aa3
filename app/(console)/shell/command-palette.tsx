"use client";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { CalendarClock, CornerDownLeft, FileText, HardDrive, type LucideIcon, Play, Search } from "lucide-react";
import { useRouter } from "next/navigation";
import { Dialog } from "radix-ui";
import { type KeyboardEvent, useDeferredValue, useEffect, useId, useState } from "react";
import { cn } from "@/app/components/class-names";
import { useFocusReturn } from "@/app/components/focus-return";
import { useTRPC } from "@/app/trpc/client";
import { errorCodes } from "@/server/core/errors/codes";
import { errorTitles } from "@/server/core/errors/titles";
import { useMay } from "../access/may";
import { useRunJob } from "../jobs/use-run-job";
import { volumePath } from "../volumes/volume-path";
import { places } from "./places";

type Command = { id: string; words: string; hint: string; icon: LucideIcon; run: () => void };

const SHOWN = 9;
const FRESH_MS = 10_000;

/** Every place, job, volume and article by its name: Ctrl-K or Command-K, arrows, Enter. */
export function CommandPalette() {
  const [open, setOpen] = useState(false);
  const focusReturn = useFocusReturn();
  useEffect(() => {
    const listen = (event: globalThis.KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        setOpen((now) => !now);
      }
    };
    window.addEventListener("keydown", listen);
    return () => window.removeEventListener("keydown", listen);
  }, []);
  return (
    <Dialog.Root open={open} onOpenChange={setOpen}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-black/45 dark:bg-black/60" />
        <Dialog.Content
          aria-describedby={undefined}
          {...focusReturn}
          className="fixed inset-x-3 top-[12vh] z-50 mx-auto max-w-lg animate-appear overflow-hidden rounded-xl border border-line bg-panel shadow-pop"
        >
          <Dialog.Title className="sr-only">Go to or do</Dialog.Title>
          <Palette onDone={() => setOpen(false)} />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

/** Places and articles are at hand; jobs and volumes are those that the console finds by the words, the last ones meanwhile. */
function useCommands(text: string): { commands: Command[]; pending: boolean } {
  const trpc = useTRPC();
  const router = useRouter();
  const run = useRunJob();
  const mayChange = useMay("changeJobs");
  const mayRun = useMay("runJobs");
  const asked = useDeferredValue(text.trim());
  const options = { placeholderData: keepPreviousData, staleTime: FRESH_MS };
  const search = useQuery(trpc.search.find.queryOptions({ text: asked }, options));
  const { jobs, volumes } = search.data ?? { jobs: [], volumes: [] };
  const go = (path: string) => () => router.push(path);
  const commands = [
    ...places.map((place) => ({
      id: place.href,
      words: place.name,
      hint: "place",
      icon: place.icon,
      run: go(place.href),
    })),
    ...(mayChange ? [{ id: "new", words: "New job", hint: "do", icon: CalendarClock, run: go("/jobs/new") }] : []),
    ...jobs.map((job) => ({
      id: `job ${job.id}`,
      words: job.name,
      hint: "job",
      icon: CalendarClock,
      run: go(`/jobs/${job.id}`),
    })),
    ...(mayRun ? jobs : []).map((job) => ({
      id: `run ${job.id}`,
      words: `Run ${job.name} now`,
      hint: "do",
      icon: Play,
      run: () => run.mutate({ id: job.id }),
    })),
    ...volumes.map((volume) => ({
      id: `volume ${volume.hostId} ${volume.name}`,
      words: volume.name,
      hint: "volume",
      icon: HardDrive,
      run: go(volumePath(volume)),
    })),
    ...errorCodes.map((code) => ({
      id: `article ${code}`,
      words: `${code} ${errorTitles[code]}`,
      hint: "article",
      icon: FileText,
      run: go(`/articles/${code}`),
    })),
  ];
  return { commands, pending: search.isFetching || asked !== text.trim() };
}

function Palette({ onDone }: { onDone: () => void }) {
  const listId = useId();
  const [text, setText] = useState("");
  const { commands, pending } = useCommands(text);
  /** Enter came before what it is for. */
  const [eager, setEager] = useState(false);
  const [at, setAt] = useState(0);
  const wanted = text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = commands
    .filter((command) => wanted.every((word) => command.words.toLowerCase().includes(word)))
    .slice(0, SHOWN);
  const take = (command: Command | undefined) => {
    if (!command) return;
    onDone();
    command.run();
  };
  useEffect(() => {
    if (!eager || pending) return;
    setEager(false);
    take(found[at]);
  });
  const press = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      setAt((now) => (now + step + found.length) % Math.max(1, found.length));
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (pending && !found[at]) setEager(true);
      else take(found[at]);
    }
  };
  return (
    <div>
      <div className="flex items-center gap-2.5 border-line border-b px-3.5">
        <Search className="size-4 text-mute" aria-hidden />
        <input
          role="combobox"
          aria-label="Go to or do"
          aria-expanded={found.length > 0}
          aria-controls={found.length > 0 ? listId : undefined}
          aria-activedescendant={found[at] ? `${listId}-${at}` : undefined}
          value={text}
          placeholder="A place, job, volume or code"
          autoComplete="off"
          spellCheck={false}
          onKeyDown={press}
          onChange={(event) => {
            setText(event.target.value);
            setAt(0);
            setEager(false);
          }}
          className="h-12 grow bg-transparent outline-none placeholder:text-faint"
        />
      </div>
      {found.length === 0 && (
        <p role="status" className="px-4 py-4.5 text-mute">
          {pending ? "Looking…" : "Nothing has this name."}
        </p>
      )}
      {found.length > 0 && (
        <div role="listbox" id={listId} aria-label="Found" tabIndex={-1} className="p-1.5">
          {found.map((command, index) => (
            <div
              key={command.id}
              id={`${listId}-${index}`}
              role="option"
              tabIndex={-1}
              aria-selected={index === at}
              onPointerMove={() => setAt(index)}
              onClick={() => take(command)}
              onKeyDown={press}
              className={cn("flex cursor-pointer items-center gap-3 rounded-lg px-2.5 py-2", index === at && "bg-soft")}
            >
              <command.icon className="size-4 shrink-0 text-mute" aria-hidden />
              <span className="wrap-anywhere min-w-0 grow">{command.words}</span>
              <span className="text-mute text-xs">{command.hint}</span>
              {index === at && <CornerDownLeft className="size-3.5 text-mute" aria-hidden />}
            </div>
          ))}
        </div>
      )}
    </div>
  );
}
