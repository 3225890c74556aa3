"use client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Plus, X } from "lucide-react";
import { useRef, useState } from "react";
import { Button } from "@/app/components/button";
import { Card, CardTitle } from "@/app/components/card";
import { Field } from "@/app/components/field";
import { Input } from "@/app/components/input";
import { useTRPC } from "@/app/trpc/client";
import { faultOf } from "@/app/trpc/fault";
import { absolutePath } from "@/server/core/contracts/job";
import type { Settings } from "@/server/core/contracts/settings";

/** Directories where caches may be kept. Adding one takes effect for the next run. */
export function CacheLocations({ settings }: { settings: Settings }) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [path, setPath] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const list = useRef<HTMLUListElement>(null);
  const set = useMutation(
    trpc.settings.set.mutationOptions({
      onSuccess: (saved) => {
        queryClient.setQueryData(trpc.settings.get.queryKey(), saved);
        void queryClient.invalidateQueries({ queryKey: trpc.cache.pathKey() });
      },
      onError: (error) => setProblem(faultOf(error).message),
    }),
  );
  const { cacheLocations } = settings;
  function add() {
    const parsed = absolutePath.safeParse(path.trim());
    if (!parsed.success) return setProblem(parsed.error.issues[0]?.message ?? "is not a path");
    if (cacheLocations.includes(parsed.data)) return setProblem("is in the list already");
    setProblem(null);
    set.mutate({ cacheLocations: [...cacheLocations, parsed.data] }, { onSuccess: () => setPath("") });
  }
  function remove(location: string) {
    // The button that has the focus goes away.
    list.current?.focus();
    set.mutate({ cacheLocations: cacheLocations.filter((one) => one !== location) });
  }
  return (
    <Card id="cache-locations">
      <CardTitle>Cache locations</CardTitle>
      <p className="mb-3 text-mute">
        Where hosts may keep caches, on every host. The broker takes the one with the most room, never one on a volume
        of the same job.
      </p>
      <ul ref={list} tabIndex={-1} aria-label="Cache locations" className="mb-3">
        {cacheLocations.length === 0 && (
          <li className="text-mute">None is named: each host keeps them in its own directory.</li>
        )}
        {cacheLocations.map((one) => (
          <li key={one} className="flex items-center justify-between gap-3 border-line border-t py-1.5 first:border-0">
            <span className="wrap-anywhere font-mono text-[0.8125rem]">{one}</span>
            <Button
              kind="quiet"
              size="smallIcon"
              aria-label={`No longer allow ${one}`}
              disabled={set.isPending}
              onClick={() => remove(one)}
            >
              <X aria-hidden />
            </Button>
          </li>
        ))}
      </ul>
      <form
        className="flex flex-wrap items-start gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          add();
        }}
      >
        <Field label="Another directory" error={problem} className="grow basis-64">
          <Input
            className="font-mono"
            placeholder="/srv/scratch/stillframe"
            spellCheck={false}
            value={path}
            onChange={(event) => setPath(event.target.value)}
          />
        </Field>
        <Button type="submit" busy={set.isPending} className="sm:mt-6.5">
          <Plus aria-hidden />
          Allow it
        </Button>
      </form>
    </Card>
  );
}
