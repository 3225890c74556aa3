"use client";
import { useQueryClient } from "@tanstack/react-query";
import { toast } from "sonner";
import { useTRPC } from "@/app/trpc/client";
import { faultOf } from "@/app/trpc/fault";

/** What follows every change of notifications: the lists anew, and a refusal told. */
export function useNotificationsChange() {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  return {
    onSettled: () => queryClient.invalidateQueries({ queryKey: trpc.notifications.pathKey() }),
    onError: (error: unknown) => {
      toast.error(faultOf(error).message, { duration: 12_000 });
    },
  };
}
