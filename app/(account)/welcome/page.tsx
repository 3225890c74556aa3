import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { Card } from "@/app/components/card";
import { serverTrpc } from "@/app/trpc/server";
import { NewPasswordForm } from "./new-password-form";
import { WelcomeForm } from "./welcome-form";

export const metadata: Metadata = { title: "Welcome", referrer: "no-referrer" };

export default async function WelcomePage({ searchParams }: { searchParams: Promise<{ token?: string }> }) {
  const { token } = await searchParams;
  const { client } = await serverTrpc();
  const state = await client.account.state.query();
  const link = token ? await client.account.link.query({ token: token.slice(0, 200) }) : null;
  if (token && link?.purpose === "password") return <NewPasswordForm token={token} email={link.email ?? ""} />;
  if (token && link) return <WelcomeForm token={token} link={link} />;
  if (!state.needsSetup && !token) redirect(state.signedIn ? "/" : "/sign-in");
  return (
    <Card className="p-5">
      <h1 className="mb-2 font-semibold text-lg tracking-tight">
        {token ? "This link is not valid any more" : "Open the one-time link"}
      </h1>
      <div className="space-y-2 text-mute">
        <WhatNow hasToken={token !== undefined} needsSetup={state.needsSetup} />
      </div>
    </Card>
  );
}

function WhatNow({ hasToken, needsSetup }: { hasToken: boolean; needsSetup: boolean }) {
  if (!needsSetup)
    return (
      <>
        <p>It was used already, or its time is over. Ask whoever sent it for a new one.</p>
        <p>
          Have an account?{" "}
          <a href="/sign-in" className="text-accent underline">
            Sign in
          </a>
          .
        </p>
      </>
    );
  if (hasToken) return <p>Start the console again, and it prints the one that is.</p>;
  return (
    <>
      <p>
        This console has no administrator yet. The terminal that started it printed a link that begins with this address
        and ends in <code className="wrap-anywhere font-mono">/welcome?token=…</code>: open that.
      </p>
      <p>Lost it? Start the console again, and it prints a new one.</p>
    </>
  );
}
