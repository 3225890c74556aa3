import { headers } from "next/headers";
import { redirect } from "next/navigation";
import type { ReactNode } from "react";
import { serverTrpc } from "@/app/trpc/server";
import { ViewerProvider } from "./access/may";
import { Shell } from "./shell/shell";

export default async function ConsoleLayout({ children }: { children: ReactNode }) {
  const { client } = await serverTrpc();
  const state = await client.account.state.query();
  if (!state.signedIn || !state.user) redirect(state.needsSetup ? "/welcome" : await signInPath());
  return (
    <ViewerProvider user={state.user}>
      <Shell user={state.user}>{children}</Shell>
    </ViewerProvider>
  );
}

/** The sign-in, which then leads to the place that was asked for. */
async function signInPath(): Promise<string> {
  const [path = "/", query] = ((await headers()).get("x-place") ?? "/").split("?");
  const search = new URLSearchParams(query);
  // The router's own mark on what it asks for.
  search.delete("_rsc");
  const place = search.size === 0 ? path : `${path}?${search}`;
  return place === "/" ? "/sign-in" : `/sign-in?next=${encodeURIComponent(place)}`;
}
