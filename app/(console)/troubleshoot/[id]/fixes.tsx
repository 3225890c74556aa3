"use client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import Link from "next/link";
import { useState } from "react";
import { Button } from "@/app/components/button";
import { Card, CardTitle } from "@/app/components/card";
import { cn } from "@/app/components/class-names";
import { ConfirmDialog } from "@/app/components/confirm-dialog";
import { useTRPC } from "@/app/trpc/client";
import { faultOf } from "@/app/trpc/fault";
import { actionPermission, may, refusal } from "@/server/core/access/permissions";
import type { ActionChoice, FailureDetail } from "@/server/core/contracts/views";
import type { Action, ActionId } from "@/server/core/errors/actions";
import type { ErrorEntry } from "@/server/core/errors/entry";
import { useViewer } from "../../access/may";
import { CachePlaceDialog } from "./cache-place-dialog";
import { FixResult } from "./fix-result";
import { IgnorePathsDialog } from "./ignore-paths-dialog";

/** Actions that are a place to go to rather than something that the console does. */
function placeOf(action: ActionId, failure: FailureDetail): string | null {
  if (action === "showSelection") return `/jobs/${failure.job.id}${failure.code === "SF-104" ? "#hooks" : ""}`;
  if (action === "allowLocation") return "/settings#cache-locations";
  return null;
}

/** Those that reach beyond the job ask first; their description says what they touch. */
const asksFirst = new Set<ActionId>(["restartEngine", "restartWorker", "repair", "removeOrphans"]);

/** Those that need to be told what. */
const choosing = new Set<ActionId>(["placeCache", "ignorePaths"]);

/** While it works, where that takes longer than a moment. */
const underWay: Partial<Record<ActionId, string>> = {
  restartEngine: "Another engine takes the volume up.",
  restartWorker: "Waiting until the worker is connected again. This takes some seconds, at most a minute and a half.",
  repair: "Looking at each volume of the host, at what runs left behind and at its cache files.",
  selfTest: "Making a small volume, freezing it, overwriting it and comparing.",
};

/** What can be done about it; the most likely help first. The result of a press stays beside it. */
export function Fixes({ failure, entry }: { failure: FailureDetail; entry: ErrorEntry }) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const { role } = useViewer();
  const [asking, setAsking] = useState<Action | null>(null);
  const act = useMutation(
    trpc.failures.act.mutationOptions({
      onSettled: () => queryClient.invalidateQueries({ queryKey: trpc.pathKey() }),
    }),
  );
  const carryOut = (action: ActionId, choice: ActionChoice = {}) => {
    setAsking(null);
    act.mutate({ id: failure.id, action, ...choice });
  };
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
                    disabled={!mine && act.isPending}
                    onClick={() =>
                      asksFirst.has(action.id) || choosing.has(action.id) ? setAsking(action) : carryOut(action.id)
                    }
                    aria-label={`${choosing.has(action.id) ? "Choose" : "Apply"}: ${action.label}`}
                  >
                    {choosing.has(action.id) ? "Choose" : "Apply"}
                  </Button>
                ) : (
                  <p className="text-[0.8125rem] text-mute">{refusal(role, actionPermission(action.id))}</p>
                )}
              </div>
              {mine && act.isPending && underWay[action.id] && (
                <p role="status" className="mt-3 text-[0.8125rem] text-mute">
                  {underWay[action.id]}
                </p>
              )}
              {mine && !act.isPending && (
                <FixResult
                  action={action.id}
                  result={act.data}
                  error={act.error ? faultOf(act.error).message : undefined}
                />
              )}
            </li>
          );
        })}
      </ul>
      <ConfirmDialog
        open={asking !== null && asksFirst.has(asking.id)}
        onOpenChange={(open) => !open && setAsking(null)}
        title={asking ? `${asking.label}?` : ""}
        description={asking?.description}
        confirm={asking?.label ?? ""}
        cancel="Leave as it is"
        onConfirm={() => asking && carryOut(asking.id)}
      />
      <CachePlaceDialog
        open={asking?.id === "placeCache"}
        onOpenChange={(open) => !open && setAsking(null)}
        failure={failure}
        onChoose={(cache) => carryOut("placeCache", { cache })}
      />
      <IgnorePathsDialog
        open={asking?.id === "ignorePaths"}
        onOpenChange={(open) => !open && setAsking(null)}
        failure={failure}
        onChoose={(ignorePaths) => carryOut("ignorePaths", { ignorePaths })}
      />
    </Card>
  );
}
