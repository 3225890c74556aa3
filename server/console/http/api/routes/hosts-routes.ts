import { z } from "zod";
import { hostViewSchema, volumeViewSchema } from "@/server/core/contracts/views";
import { listOf } from "../documents";
import { route } from "../route";

export const hostsRoutes = [
  route({
    method: "GET",
    path: "/hosts",
    id: "listHosts",
    tag: "Volumes",
    summary: "Hosts with their connection",
    permission: "see",
    status: 200,
    input: z.object({}).strict(),
    answer: listOf(hostViewSchema),
    respond: async ({ hosts }) => ({ items: await hosts.list(), next: null }),
  }),
  route({
    method: "GET",
    path: "/volumes",
    id: "listVolumes",
    tag: "Volumes",
    summary: "Volumes as last heard of",
    permission: "see",
    status: 200,
    input: z
      .object({ hostId: z.string().min(1).max(100).optional().describe("A host's id: only its volumes.") })
      .strict(),
    answer: listOf(volumeViewSchema),
    respond: async ({ volumes, hosts }, { hostId }) => {
      if (hostId !== undefined) await hosts.get(hostId);
      return { items: await volumes.list(hostId), next: null };
    },
  }),
];
