"use client";
import { useQuery } from "@tanstack/react-query";
import { UserPlus } from "lucide-react";
import { useState } from "react";
import { Button } from "@/app/components/button";
import { Card, CardTitle } from "@/app/components/card";
import { Note } from "@/app/components/note";
import { PageHeader } from "@/app/components/page-header";
import { Unanswered } from "@/app/components/unanswered";
import { useTRPC } from "@/app/trpc/client";
import { roles, roleTexts } from "@/server/core/access/permissions";
import { useMay } from "../../access/may";
import { InvitationsTable } from "./invitations-table";
import { InviteDialog } from "./invite-dialog";
import { UsersTable } from "./users-table";

export function UsersView() {
  const trpc = useTRPC();
  const allowed = useMay("manageUsers");
  const found = useQuery(trpc.users.list.queryOptions(undefined, { enabled: allowed }));
  const [inviting, setInviting] = useState(false);
  return (
    <>
      <PageHeader
        title="Users and roles"
        subtitle="Who may look at this console, and what each may do."
        actions={
          allowed && (
            <Button kind="primary" onClick={() => setInviting(true)}>
              <UserPlus aria-hidden />
              Invite somebody
            </Button>
          )
        }
      />
      {!allowed && <Note title="Only administrators see this place">Ask one of them for what you need.</Note>}
      <Unanswered query={found} of="users" className="mb-4" />
      {found.data && (
        <div className="space-y-4">
          <Card>
            <CardTitle>Users</CardTitle>
            <UsersTable users={found.data.users} />
          </Card>
          {found.data.invitations.length > 0 && (
            <Card>
              <CardTitle>Open invitations</CardTitle>
              <InvitationsTable invitations={found.data.invitations} />
            </Card>
          )}
          <Card>
            <CardTitle>What the roles may do</CardTitle>
            <dl className="space-y-2">
              {roles.map((role) => (
                <div key={role} className="flex flex-wrap gap-x-4">
                  <dt className="w-28 font-medium">{roleTexts[role].label}</dt>
                  <dd className="min-w-0 flex-[1_1_16rem] text-mute">{roleTexts[role].does}</dd>
                </div>
              ))}
            </dl>
          </Card>
        </div>
      )}
      <InviteDialog open={inviting} onOpenChange={setInviting} />
    </>
  );
}
