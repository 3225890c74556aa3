"use client";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useSubscription } from "@trpc/tanstack-react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import type { Link } from "@/app/components/live-indicator";
import { useTRPC } from "@/app/trpc/client";
import { useSocketState } from "@/app/trpc/socket-state";
import type { Run } from "@/server/core/contracts/run";
import type { PositionedEvent } from "@/server/core/contracts/views";
import type { Sample } from "@/server/core/contracts/volume";
import { isEnded } from "@/server/core/runs/phases";

const MOST_SAMPLES = 3000;

/** Adds newer samples; when there are too many, the older half is thinned to every second one. */
function addSamples(history: ReadonlyMap<string, readonly Sample[]>, samples: readonly Sample[]) {
  const next = new Map(history);
  for (const sample of samples) {
    const known = next.get(sample.volume) ?? [];
    const last = known.at(-1);
    if (last && sample.at <= last.at) continue;
    const longer = [...known, sample];
    next.set(
      sample.volume,
      longer.length <= MOST_SAMPLES ? longer : longer.filter((_, i) => i > MOST_SAMPLES / 2 || i % 2 === 0),
    );
  }
  return next;
}

/**
 * A run: what the page was rendered with, and everything since. Events come by a subscription that resumes
 * after the last one that was received, so none is missed or doubled; samples are latest wins.
 */
export function useRun(id: string) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const detail = useQuery(trpc.runs.get.queryOptions({ id }, { staleTime: Number.POSITIVE_INFINITY }));
  const [live, setLive] = useState<{ run: Run | null; events: PositionedEvent[] }>({ run: null, events: [] });
  const [samples, setSamples] = useState<ReadonlyMap<string, readonly Sample[]>>(new Map());
  const [heardAt, setHeardAt] = useState<number | null>(null);
  const socket = useSocketState();

  const stored = detail.data;
  const run = live.run ?? stored?.run ?? null;
  const ended = run !== null && isEnded(run.state);
  const events = useMemo(() => {
    const first = stored?.events ?? [];
    const after = first.at(-1)?.position ?? 0;
    return [...first, ...live.events.filter((event) => event.position > after)];
  }, [stored, live.events]);
  const history = useMemo(
    () => addSamples(addSamples(new Map(), stored?.samples ?? []), [...samples.values()].flat()),
    [stored, samples],
  );

  // Where the subscription begins: fixed when the stored part first arrives, for its input must not change.
  const start = useRef<number | null>(null);
  if (start.current === null && stored) start.current = stored.events.at(-1)?.position ?? 0;
  useSubscription(
    trpc.runs.follow.subscriptionOptions(
      { id, lastEventId: start.current },
      {
        enabled: stored !== undefined && !isEnded(stored.run.state),
        onData: ({ data }) => {
          setHeardAt(Date.now());
          setLive((now) =>
            data.position <= (now.events.at(-1)?.position ?? 0)
              ? now
              : { run: data.run, events: [...now.events, { position: data.position, event: data.event }] },
          );
        },
      },
    ),
  );
  useSubscription(
    trpc.runs.samples.subscriptionOptions(
      { id },
      {
        enabled: stored !== undefined && !ended,
        onData: (batch) => {
          setHeardAt(Date.now());
          setSamples((now) => addSamples(now, batch));
        },
      },
    ),
  );
  // At its end the run's own record is asked once more; other pages learn of it too.
  useEffect(() => {
    if (live.run && isEnded(live.run.state)) {
      void queryClient.invalidateQueries({ queryKey: trpc.runs.get.queryKey({ id: live.run.id }) });
      void queryClient.invalidateQueries({ queryKey: trpc.overview.pathKey() });
      void queryClient.invalidateQueries({ queryKey: trpc.failures.pathKey() });
      void queryClient.invalidateQueries({ queryKey: trpc.jobs.pathKey() });
    }
  }, [live.run, queryClient, trpc]);

  const link: Link = ended ? "ended" : socket.open ? "live" : socket.lostAt === null ? "connecting" : "lost";
  return {
    run,
    events,
    samples: history,
    host: stored?.host ?? null,
    ended,
    link,
    heardAt,
    lostAt: socket.lostAt,
    problem: detail.error,
  };
}
