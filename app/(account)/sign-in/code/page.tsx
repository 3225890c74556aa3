import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { serverTrpc } from "@/app/trpc/server";
import { targetOf } from "@/server/core/access/target";
import { CodeForm } from "./code-form";

export const metadata: Metadata = { title: "Enter the code" };

export default async function CodePage({ searchParams }: { searchParams: Promise<{ next?: string }> }) {
  const target = targetOf((await searchParams).next);
  const { client } = await serverTrpc();
  if ((await client.account.state.query()).signedIn) redirect(target);
  return <CodeForm target={target} />;
}
