import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { serverTrpc } from "@/app/trpc/server";
import { SignInForm } from "./sign-in-form";

export const metadata: Metadata = { title: "Sign in" };

export default async function SignInPage({ searchParams }: { searchParams: Promise<{ next?: string }> }) {
  const { next } = await searchParams;
  // Only places of this console: `//host` and `https:` would lead elsewhere.
  const target = next && /^\/(?![/\\])/.test(next) ? next : "/";
  const { client } = await serverTrpc();
  const state = await client.account.state.query();
  if (state.signedIn) redirect(target);
  if (state.needsSetup) redirect("/welcome");
  return <SignInForm target={target} />;
}
