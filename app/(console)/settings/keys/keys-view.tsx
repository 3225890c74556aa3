"use client";
import { useQuery } from "@tanstack/react-query";
import { KeyRound } from "lucide-react";
import { useState } from "react";
import { Button } from "@/app/components/button";
import { Card, CardTitle } from "@/app/components/card";
import { EmptyState } from "@/app/components/empty-state";
import { Note } from "@/app/components/note";
import { PageHeader } from "@/app/components/page-header";
import { Unanswered } from "@/app/components/unanswered";
import { useTRPC } from "@/app/trpc/client";
import { useMay } from "../../access/may";
import { KeysTable } from "./keys-table";
import { NewKeyDialog } from "./new-key-dialog";
import { ProgramsGuide } from "./programs-guide";

export function KeysView() {
  const trpc = useTRPC();
  const allowed = useMay("manageKeys");
  const keys = useQuery(trpc.apiKeys.list.queryOptions(undefined, { enabled: allowed }));
  const [making, setMaking] = useState(false);
  const make = (
    <Button kind="primary" onClick={() => setMaking(true)}>
      <KeyRound aria-hidden />
      New key
    </Button>
  );
  return (
    <>
      <PageHeader
        title="Other programs"
        subtitle="Keys for monitoring and scripts: each for what it needs, for as long as it needs it."
        actions={allowed && keys.data && keys.data.length > 0 && make}
      />
      {!allowed && <Note title="Only administrators see this place">Ask one of them for a key.</Note>}
      <Unanswered query={keys} of="keys" className="mb-4" />
      {allowed && (
        <div className="space-y-4">
          {keys.data?.length === 0 && (
            <EmptyState icon={KeyRound} title="No program has a key" action={make}>
              With a key, Prometheus reads the metrics, and a script lists runs or starts a job. It holds scopes, not a
              role, and can be revoked at any time.
            </EmptyState>
          )}
          {keys.data && keys.data.length > 0 && (
            <Card>
              <CardTitle>API keys</CardTitle>
              <KeysTable keys={keys.data} />
            </Card>
          )}
          <ProgramsGuide />
        </div>
      )}
      <NewKeyDialog open={making} onOpenChange={setMaking} />
    </>
  );
}
