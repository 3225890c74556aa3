import { cookies } from "next/headers";
import { isZone } from "@/server/core/history/hour-of-week";
import { ZONE_COOKIE } from "./components/zone-cookie";

/** The viewer's time zone, as their browser told at an earlier visit; else UTC. */
export async function viewerZone(): Promise<string> {
  const told = decodeURIComponent((await cookies()).get(ZONE_COOKIE)?.value ?? "UTC");
  return isZone(told) ? told : "UTC";
}
