import { cookies } from "next/headers";
import { timeZoneSchema } from "@/server/core/contracts/schedule";
import { ZONE_COOKIE } from "./components/zone-cookie";

/** The viewer's time zone, as their browser told at an earlier visit; else UTC. */
export async function viewerZone(): Promise<string> {
  // Decoded already; what cannot be decoded is left out.
  const told = (await cookies()).get(ZONE_COOKIE)?.value ?? "UTC";
  return timeZoneSchema.safeParse(told).data ?? "UTC";
}
