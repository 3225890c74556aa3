"use client";
import { useQueryClient } from "@tanstack/react-query";
import { useTRPC } from "@/app/trpc/client";

/** The list anew, after every change of keys. */
export function useKeysChange() {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  return { onSettled: () => queryClient.invalidateQueries({ queryKey: trpc.apiKeys.pathKey() }) };
}
