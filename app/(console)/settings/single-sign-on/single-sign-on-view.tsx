"use client";
import { useQuery } from "@tanstack/react-query";
import { Building2 } from "lucide-react";
import { useState } from "react";
import { Button } from "@/app/components/button";
import { EmptyState } from "@/app/components/empty-state";
import { Note } from "@/app/components/note";
import { PageHeader } from "@/app/components/page-header";
import { Unanswered } from "@/app/components/unanswered";
import { useTRPC } from "@/app/trpc/client";
import { useMay } from "../../access/may";
import { SingleSignOnForm } from "./single-sign-on-form";

export function SingleSignOnView() {
  const trpc = useTRPC();
  const allowed = useMay("manageUsers");
  const found = useQuery(trpc.singleSignOn.get.queryOptions(undefined, { enabled: allowed }));
  const [beginning, setBeginning] = useState(false);
  const view = found.data;
  return (
    <>
      <PageHeader
        title="Single sign-on"
        subtitle="People sign in with the account that they have in your company already, by OpenID Connect."
      />
      {!allowed && <Note title="Only administrators see this place">Ask one of them for what you need.</Note>}
      <Unanswered query={found} of="settings of single sign-on" className="mb-4" />
      {view && view.settings === null && !beginning && (
        <EmptyState
          icon={Building2}
          title="Everybody has a password of this console"
          action={
            <Button kind="primary" onClick={() => setBeginning(true)}>
              Set it up
            </Button>
          }
        >
          With Keycloak, Entra ID, Okta, Google or another provider of OpenID Connect, people come with their own
          account, groups give them their role, and who leaves the company is let in no more.
        </EmptyState>
      )}
      {view && (view.settings !== null || beginning) && <SingleSignOnForm view={view} />}
    </>
  );
}
