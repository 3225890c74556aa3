"use client";
import { useQuery } from "@tanstack/react-query";
import { useTRPC } from "@/app/trpc/client";

/** Where something is, in a sentence: also while the host's name is asked for, and when there is none to be had. */
export function OnHost({ id }: { id: string }) {
  const hosts = useQuery(useTRPC().hosts.list.queryOptions());
  const name = hosts.data?.find((host) => host.id === id)?.name;
  if (name !== undefined) return `on ${name}`;
  if (hosts.data) return "on a host that was removed";
  return hosts.error ? "on a host whose name cannot be had now" : "on a host whose name is being looked up";
}
