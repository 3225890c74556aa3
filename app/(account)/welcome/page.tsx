import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { Note } from "@/app/components/note";
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
  if (!state.needsSetup) {
    if (!token) redirect(state.signedIn ? "/" : "/sign-in");
    return (
      <Note title="This link is not valid any more">
        <p>It was used already, or its time is over. Ask whoever sent it for a new one.</p>
        <p className="mt-2">
          Have an account?{" "}
          <a href="/sign-in" className="text-accent underline">
            Sign in
          </a>
          .
        </p>
      </Note>
    );
  }
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
  return <Note title="This link is not valid any more">Start the console again, and it prints the one that is.</Note>;
}
