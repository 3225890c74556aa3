"use client";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { toast } from "sonner";
import { Button } from "@/app/components/button";
import { Card, CardTitle } from "@/app/components/card";
import { plural } from "@/app/components/format";
import { Ago } from "@/app/components/time";
import { Unanswered } from "@/app/components/unanswered";
import { useTRPC } from "@/app/trpc/client";
import { faultOf } from "@/app/trpc/fault";
import { browserName } from "./browser-name";

/** Where one is signed in, and the way to end it. */
export function Sessions() {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const sessions = useQuery(trpc.account.sessions.queryOptions());
  const settled = {
    onSettled: () => queryClient.invalidateQueries({ queryKey: trpc.account.sessions.queryKey() }),
    onError: (error: unknown) => {
      toast.error(faultOf(error).message);
    },
  };
  const end = useMutation(trpc.account.endSession.mutationOptions(settled));
  const endOthers = useMutation(
    trpc.account.endOtherSessions.mutationOptions({
      ...settled,
      onSuccess: ({ ended }) => toast.success(`${plural(ended, "sign-in")} ended.`),
    }),
  );
  const others = sessions.data?.some((session) => !session.current) ?? false;
  return (
    <Card>
      <CardTitle
        aside={
          others && (
            <Button size="small" busy={endOthers.isPending} onClick={() => endOthers.mutate()}>
              End all others
            </Button>
          )
        }
      >
        Where you are signed in
      </CardTitle>
      <Unanswered query={sessions} of="sign-ins" />
      <ul className="divide-y divide-line">
        {sessions.data?.map((session) => (
          <li key={session.id} className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 py-2.5">
            <div className="min-w-0">
              <p className="font-medium" title={session.userAgent ?? undefined}>
                {browserName(session.userAgent)}
                {session.current && (
                  <span className="ml-2 rounded-md border border-line px-1.5 py-px font-normal text-mute text-xs">
                    this one
                  </span>
                )}
              </p>
              <p className="text-mute text-xs">
                from {session.address || "an unknown address"}, <Ago at={session.createdAt} />
              </p>
            </div>
            {!session.current && (
              <Button
                size="small"
                busy={end.isPending && end.variables.id === session.id}
                onClick={() => end.mutate({ id: session.id })}
                aria-label={`End the sign-in of ${browserName(session.userAgent)} from ${session.address}`}
              >
                End
              </Button>
            )}
          </li>
        ))}
      </ul>
    </Card>
  );
}
