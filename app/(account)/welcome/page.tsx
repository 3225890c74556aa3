import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { Note } from "@/app/components/note";
import { serverTrpc } from "@/app/trpc/server";
import { WelcomeForm } from "./welcome-form";

export const metadata: Metadata = { title: "Welcome", referrer: "no-referrer" };

export default async function WelcomePage({ searchParams }: { searchParams: Promise<{ token?: string }> }) {
  const { token } = await searchParams;
  const { client } = await serverTrpc();
  const state = await client.account.state.query();
  if (!state.needsSetup) redirect(state.signedIn ? "/" : "/sign-in");
  if (!token) {
    return (
      <Note title="Open the one-time link">
        <p>
          This console has no administrator yet. The terminal that started it printed a link that begins with this
          address and ends in <code className="font-mono">/welcome?token=…</code>: open that.
        </p>
        <p className="mt-2">Lost it? Start the console again, and it prints a new one.</p>
      </Note>
    );
  }
  return <WelcomeForm token={token} />;
}
