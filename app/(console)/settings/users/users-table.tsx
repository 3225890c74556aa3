"use client";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { toast } from "sonner";
import { Button } from "@/app/components/button";
import { ConfirmDialog } from "@/app/components/confirm-dialog";
import { Dialog } from "@/app/components/dialog";
import { Select } from "@/app/components/select";
import { Ago } from "@/app/components/time";
import { useTRPC } from "@/app/trpc/client";
import { roles, roleTexts } from "@/server/core/access/permissions";
import type { UserView } from "@/server/core/contracts/accounts";
import { useViewer } from "../../access/may";
import { NewLinkNote } from "./new-link-note";
import { useUsersChange } from "./use-users-change";

const options = roles.map((role) => ({ value: role, label: roleTexts[role].label }));

export function UsersTable({ users }: { users: readonly UserView[] }) {
  const trpc = useTRPC();
  const viewer = useViewer();
  const change = useUsersChange();
  const [leaving, setLeaving] = useState<UserView | null>(null);
  const setRole = useMutation(trpc.users.setRole.mutationOptions(change));
  const [unlocking, setUnlocking] = useState<UserView | null>(null);
  const removeSecondFactor = useMutation(
    trpc.users.removeSecondFactor.mutationOptions({
      ...change,
      onSuccess: () => {
        toast.success(`${unlocking?.name} signs in by password alone now.`);
        setUnlocking(null);
      },
    }),
  );
  const passwordLink = useMutation(trpc.users.passwordLink.mutationOptions({ onError: change.onError }));
  const remove = useMutation(
    trpc.users.remove.mutationOptions({
      ...change,
      onSuccess: () => {
        toast.success(`${leaving?.name} has no access any more.`);
        setLeaving(null);
      },
    }),
  );
  return (
    <>
      <table className="rows cards">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Role</th>
            <th scope="col">Second factor</th>
            <th scope="col">Last sign-in</th>
            <th scope="col">
              <span className="sr-only">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {users.map((user) => {
            const own = user.email === viewer.email;
            return (
              <tr key={user.id}>
                <td className="lead">
                  <span className="wrap-anywhere font-medium">{user.name}</span>
                  {own && (
                    <span className="ml-2 rounded-md border border-line px-1.5 py-px text-mute text-xs">you</span>
                  )}
                  <span className="wrap-anywhere block text-mute text-xs">{user.email}</span>
                </td>
                <td data-label="Role">
                  <Select
                    label={`Role of ${user.name}`}
                    value={setRole.isPending && setRole.variables.id === user.id ? setRole.variables.role : user.role}
                    options={options}
                    // The one that was changed keeps the focus.
                    disabled={own || (setRole.isPending && setRole.variables.id !== user.id)}
                    onChange={(role) => setRole.mutate({ id: user.id, role })}
                  />
                </td>
                <td data-label="Second factor">{user.secondFactor ? "on" : <span className="text-mute">off</span>}</td>
                <td data-label="Last sign-in">
                  {user.lastSignInAt ? <Ago at={user.lastSignInAt} /> : <span className="text-mute">signed out</span>}
                </td>
                <td>
                  <span className="flex flex-wrap gap-1.5 md:justify-end">
                    {!own && (
                      <>
                        <Button
                          size="small"
                          busy={passwordLink.isPending && passwordLink.variables.email === user.email}
                          onClick={() => passwordLink.mutate({ email: user.email })}
                          aria-label={`New password for ${user.name}`}
                        >
                          New password
                        </Button>
                        {user.secondFactor && (
                          <Button
                            size="small"
                            onClick={() => setUnlocking(user)}
                            aria-label={`Remove the second factor of ${user.name}`}
                          >
                            Remove second factor
                          </Button>
                        )}
                        <Button size="small" onClick={() => setLeaving(user)} aria-label={`Remove ${user.name}`}>
                          Remove
                        </Button>
                      </>
                    )}
                  </span>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      <Dialog
        open={passwordLink.data !== undefined}
        onOpenChange={(open) => !open && passwordLink.reset()}
        title="A link for a new password"
      >
        {passwordLink.data && (
          <NewLinkNote
            made={passwordLink.data}
            email={passwordLink.variables.email}
            onDone={() => passwordLink.reset()}
          />
        )}
      </Dialog>
      <ConfirmDialog
        open={unlocking !== null}
        onOpenChange={(open) => !open && setUnlocking(null)}
        title={`Remove the second factor of ${unlocking?.name ?? ""}?`}
        description="For somebody who lost their app and backup codes. Their sign-ins end, and the password alone lets them in until they set up a new one."
        confirm="Remove it"
        danger
        busy={removeSecondFactor.isPending}
        onConfirm={() => unlocking && removeSecondFactor.mutate({ email: unlocking.email })}
      />
      <ConfirmDialog
        open={leaving !== null}
        onOpenChange={(open) => !open && setLeaving(null)}
        title={`Remove ${leaving?.name ?? ""}?`}
        description="Their sign-ins end at once. Jobs, runs, API keys and what they wrote stay."
        confirm="Remove"
        danger
        busy={remove.isPending}
        onConfirm={() => leaving && remove.mutate({ id: leaving.id })}
      />
    </>
  );
}
