"use client";
import { useMutation } from "@tanstack/react-query";
import { Button } from "@/app/components/button";
import { Time } from "@/app/components/time";
import { useTRPC } from "@/app/trpc/client";
import { roleTexts } from "@/server/core/access/permissions";
import type { Invitation } from "@/server/core/contracts/accounts";
import { useUsersChange } from "./use-users-change";

export function InvitationsTable({ invitations }: { invitations: readonly Invitation[] }) {
  const trpc = useTRPC();
  const withdraw = useMutation(trpc.users.withdraw.mutationOptions(useUsersChange()));
  return (
    <table className="rows cards">
      <thead>
        <tr>
          <th scope="col">E-mail</th>
          <th scope="col">Role</th>
          <th scope="col">Invited by</th>
          <th scope="col">Ends</th>
          <th scope="col">
            <span className="sr-only">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {invitations.map(({ email, role, invitedBy, expiresAt }) => (
          <tr key={email}>
            <td className="lead">
              <span className="wrap-anywhere font-medium">{email}</span>
            </td>
            <td data-label="Role">{roleTexts[role].label}</td>
            <td data-label="Invited by">
              <span className="wrap-anywhere">{invitedBy}</span>
            </td>
            <td data-label="Ends">
              <Time at={expiresAt} />
            </td>
            <td>
              <span className="flex justify-end">
                <Button
                  size="small"
                  busy={withdraw.isPending && withdraw.variables.email === email}
                  onClick={() => withdraw.mutate({ email })}
                  aria-label={`Withdraw the invitation of ${email}`}
                >
                  Withdraw
                </Button>
              </span>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
