import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { serverTrpc } from "@/app/trpc/server";
import { isSignInProblem, signInProblems } from "@/server/core/access/single-sign-on";
import { targetOf } from "@/server/core/access/target";
import { SignInForm } from "./sign-in-form";

export const metadata: Metadata = { title: "Sign in" };

export default async function SignInPage({
  searchParams,
}: {
  searchParams: Promise<{ next?: string; problem?: string }>;
}) {
  const { next, problem } = await searchParams;
  const target = targetOf(next);
  const { client } = await serverTrpc();
  const state = await client.account.state.query();
  if (state.signedIn) redirect(target);
  if (state.needsSetup) redirect("/welcome");
  const ways = await client.account.signInWays.query();
  const told = isSignInProblem(problem) ? signInProblems[problem] : null;
  return <SignInForm target={target} ways={ways} told={told} />;
}
