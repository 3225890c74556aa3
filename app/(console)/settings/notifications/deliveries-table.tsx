"use client";
import { useMutation } from "@tanstack/react-query";
import { CircleAlert, CircleCheck, CircleDashed, type LucideIcon } from "lucide-react";
import { Button } from "@/app/components/button";
import { cn } from "@/app/components/class-names";
import { Ago, Time } from "@/app/components/time";
import { useTRPC } from "@/app/trpc/client";
import type { DeliveryState, DeliveryView } from "@/server/core/contracts/notifications";
import { useNotificationsChange } from "./use-notifications-change";

const looks: Record<DeliveryState, { word: string; icon: LucideIcon; tone: string }> = {
  waiting: { word: "Waiting", icon: CircleDashed, tone: "text-mute" },
  delivered: { word: "Delivered", icon: CircleCheck, tone: "text-accent" },
  failed: { word: "Given up", icon: CircleAlert, tone: "text-loss-ink" },
};

export function DeliveriesTable({ deliveries }: { deliveries: readonly DeliveryView[] }) {
  const trpc = useTRPC();
  const retry = useMutation(trpc.notifications.retry.mutationOptions(useNotificationsChange()));
  return (
    <table className="rows cards">
      <thead>
        <tr>
          <th scope="col">Message</th>
          <th scope="col">Channel</th>
          <th scope="col">When</th>
          <th scope="col">State</th>
          <th scope="col">
            <span className="sr-only">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {deliveries.map((delivery) => {
          const { id, title, channel, createdAt, state, severity } = delivery;
          const again = state !== "delivered" && severity !== null;
          return (
            <tr key={id}>
              <td className="lead">
                <span className="wrap-anywhere">{title}</span>
              </td>
              <td data-label="Channel">
                <span className="wrap-anywhere">{channel.name}</span>
              </td>
              <td data-label="When" className="whitespace-nowrap">
                <Ago at={createdAt} />
              </td>
              <td data-label="State" className="md:max-w-sm">
                <Fate delivery={delivery} />
              </td>
              <td>
                {again && (
                  <span className="flex justify-end">
                    <Button
                      size="small"
                      busy={retry.isPending && retry.variables.id === id}
                      onClick={() => retry.mutate({ id })}
                      aria-label={`Try again now: ${title}`}
                    >
                      Try again now
                    </Button>
                  </span>
                )}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

/** The state with the receiver's words. */
function Fate({ delivery: { state, attempts, error, answer, nextAttemptAt } }: { delivery: DeliveryView }) {
  const { word, icon: Icon, tone } = looks[state];
  const said = state === "delivered" ? answer : error;
  return (
    <span className="block min-w-0">
      <span className={cn("inline-flex items-center gap-1.5 whitespace-nowrap", tone)}>
        <Icon className="size-4 shrink-0" aria-hidden />
        {word}
        {attempts > 1 && <span className="text-mute">after {attempts} attempts</span>}
      </span>
      {said && <span className="wrap-anywhere block font-mono text-mute text-xs">{said}</span>}
      {state === "waiting" && attempts > 0 && nextAttemptAt && (
        <span className="block text-mute text-xs">
          next attempt <Time at={nextAttemptAt} style="clock" />
        </span>
      )}
    </span>
  );
}
