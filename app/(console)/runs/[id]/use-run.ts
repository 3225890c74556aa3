"use client";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useSubscription } from "@trpc/tanstack-react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import type { Link } from "@/app/components/live-indicator";
import { useTRPC } from "@/app/trpc/client";
import { useSocketState } from "@/app/trpc/socket-state";
import type { Run } from "@/server/core/contracts/run";
import type { PositionedEvent } from "@/server/core/contracts/views";
import { isEnded } from "@/server/core/runs/phases";
import { SampleHistory } from "./sample-history";

/**
 * A run: what the page was rendered with, and everything since. Events come by a subscription that resumes
 * after the last one that was received, so none is missed or doubled; samples are latest wins.
 */
export function useRun(id: string) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const detail = useQuery(trpc.runs.get.queryOptions({ id }, { staleTime: Number.POSITIVE_INFINITY }));
  const [live, setLive] = useState<{ run: Run | null; events: PositionedEvent[] }>({ run: null, events: [] });
  const socket = useSocketState();

  const stored = detail.data;
  const [history] = useState(() => {
    const begun = new SampleHistory();
    if (stored) begun.add(stored.samples);
    return begun;
  });
  useEffect(() => {
    if (stored) history.add(stored.samples);
  }, [history, stored]);
  const run = live.run ?? stored?.run ?? null;
  const ended = run !== null && isEnded(run.state);
  const events = useMemo(() => {
    const first = stored?.events ?? [];
    const after = first.at(-1)?.position ?? 0;
    return [...first, ...live.events.filter((event) => event.position > after)];
  }, [stored, live.events]);
  // Where the subscription begins: fixed when the stored part first arrives, for its input must not change.
  const start = useRef<number | null>(null);
  if (start.current === null && stored) start.current = stored.events.at(-1)?.position ?? 0;
  useSubscription(
    trpc.runs.follow.subscriptionOptions(
      { id, lastEventId: start.current },
      {
        enabled: stored !== undefined && !isEnded(stored.run.state),
        onData: ({ data }) => {
          history.heard(Date.now());
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
          history.add(batch);
          history.heard(Date.now());
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
    history,
    host: stored?.host ?? null,
    ended,
    link,
    lostAt: socket.lostAt,
    asked: detail,
  };
}
