"use client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import Link from "next/link";
import { Button } from "@/app/components/button";
import { Card, CardTitle } from "@/app/components/card";
import { cn } from "@/app/components/class-names";
import { Note } from "@/app/components/note";
import { useTRPC } from "@/app/trpc/client";
import { faultOf } from "@/app/trpc/fault";
import { actionPermission, may, refusal } from "@/server/core/access/permissions";
import type { FailureDetail } from "@/server/core/contracts/views";
import type { ActionId } from "@/server/core/errors/actions";
import type { ErrorEntry } from "@/server/core/errors/entry";
import { useViewer } from "../../access/may";

/** Actions that are a place to go to rather than something that the console does. */
function placeOf(action: ActionId, failure: FailureDetail): string | null {
  if (action === "showSelection") return `/jobs/${failure.job.id}`;
  if (action === "allowLocation") return "/settings#cache-locations";
  return null;
}

/** What can be done about it; the most likely help first. The result of a press stays beside it. */
export function Fixes({ failure, entry }: { failure: FailureDetail; entry: ErrorEntry }) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const { role } = useViewer();
  const act = useMutation(
    trpc.failures.act.mutationOptions({
      onSettled: () => queryClient.invalidateQueries({ queryKey: trpc.pathKey() }),
    }),
  );
  return (
    <Card>
      <CardTitle>Fix it</CardTitle>
      <ul className="space-y-3">
        {entry.actionsFor(failure.evidence).map((action, index) => {
          const mine = act.variables?.action === action.id;
          const place = placeOf(action.id, failure);
          const first = index === 0 && !failure.resolved;
          return (
            <li
              key={action.id}
              className={cn("rounded-[10px] border px-3.5 py-3", first ? "border-accent" : "border-line")}
            >
              <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
                <div className="min-w-0 flex-[1_1_15rem]">
                  <p className="font-semibold">{action.label}</p>
                  <p className="text-[0.8125rem] text-mute">{action.description}</p>
                </div>
                {place ? (
                  <Button asChild kind={first ? "primary" : "plain"}>
                    <Link href={place}>Open</Link>
                  </Button>
                ) : may(role, actionPermission(action.id)) ? (
                  <Button
                    kind={first ? "primary" : "plain"}
                    busy={mine && act.isPending}
                    disabled={act.isPending}
                    onClick={() => act.mutate({ id: failure.id, action: action.id })}
                    aria-label={`Apply: ${action.label}`}
                  >
                    Apply
                  </Button>
                ) : (
                  <p className="text-[0.8125rem] text-mute">{refusal(role, actionPermission(action.id))}</p>
                )}
              </div>
              {mine && act.error && (
                <Note tone="loss" title="Not done" className="mt-3">
                  {faultOf(act.error).message}
                </Note>
              )}
              {mine && act.data && (
                <Note
                  tone="good"
                  title="Done"
                  className="mt-3"
                  action={
                    act.data.runId && (
                      <Button asChild size="small" kind="primary">
                        <Link href={`/runs/${act.data.runId}`}>Watch the run</Link>
                      </Button>
                    )
                  }
                >
                  {act.data.message}
                </Note>
              )}
            </li>
          );
        })}
      </ul>
    </Card>
  );
}
