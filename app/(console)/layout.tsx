import { redirect } from "next/navigation";
import type { ReactNode } from "react";
import { serverTrpc } from "@/app/trpc/server";
import { ViewerProvider } from "./access/may";
import { Shell } from "./shell/shell";

export default async function ConsoleLayout({ children }: { children: ReactNode }) {
  const { client } = await serverTrpc();
  const state = await client.account.state.query();
  if (!state.signedIn || !state.user) redirect(state.needsSetup ? "/welcome" : "/sign-in");
  return (
    <ViewerProvider user={state.user}>
      <Shell user={state.user}>{children}</Shell>
    </ViewerProvider>
  );
}
