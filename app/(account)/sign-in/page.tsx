import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { serverTrpc } from "@/app/trpc/server";
import { targetOf } from "../target";
import { SignInForm } from "./sign-in-form";

export const metadata: Metadata = { title: "Sign in" };

export default async function SignInPage({ searchParams }: { searchParams: Promise<{ next?: string }> }) {
  const target = targetOf((await searchParams).next);
  const { client } = await serverTrpc();
  const state = await client.account.state.query();
  if (state.signedIn) redirect(target);
  if (state.needsSetup) redirect("/welcome");
  const { passkeyHost } = await client.account.signInWays.query();
  return <SignInForm target={target} passkeyHost={passkeyHost} />;
}
