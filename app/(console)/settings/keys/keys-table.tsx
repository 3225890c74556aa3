"use client";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { toast } from "sonner";
import { Button } from "@/app/components/button";
import { ConfirmDialog } from "@/app/components/confirm-dialog";
import { Ago, Time } from "@/app/components/time";
import { useNow } from "@/app/components/zone";
import { useTRPC } from "@/app/trpc/client";
import { faultOf } from "@/app/trpc/fault";
import { scopeTexts } from "@/server/core/access/scopes";
import type { ApiKeyView } from "@/server/core/contracts/api-keys";
import { useKeysChange } from "./use-keys-change";

export function KeysTable({ keys }: { keys: readonly ApiKeyView[] }) {
  const trpc = useTRPC();
  const { onSettled } = useKeysChange();
  const [revoked, setRevoked] = useState<ApiKeyView | null>(null);
  const remove = useMutation(
    trpc.apiKeys.remove.mutationOptions({
      onSettled,
      onSuccess: () => {
        toast.success(`The key “${revoked?.name}” lets nobody in any more.`);
        setRevoked(null);
      },
    }),
  );
  return (
    <>
      <table className="rows cards">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Scopes</th>
            <th scope="col">Made by</th>
            <th scope="col">Last used</th>
            <th scope="col">Ends</th>
            <th scope="col">
              <span className="sr-only">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {keys.map((key) => (
            <tr key={key.id}>
              <td className="lead">
                <span className="wrap-anywhere font-medium">{key.name}</span>
                <span className="block font-mono text-mute text-xs">{key.hint}…</span>
              </td>
              <td data-label="Scopes">{key.scopes.map((scope) => scopeTexts[scope].label).join(", ")}</td>
              <td data-label="Made by">
                <span className="wrap-anywhere">{key.createdBy}</span>
              </td>
              <td data-label="Last used">
                {key.lastUsedAt ? <Ago at={key.lastUsedAt} /> : <span className="text-mute">never</span>}
              </td>
              <td data-label="Ends">
                <Ends at={key.expiresAt} />
              </td>
              <td>
                <span className="flex justify-end">
                  <Button size="small" onClick={() => setRevoked(key)} aria-label={`Revoke ${key.name}`}>
                    Revoke
                  </Button>
                </span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <ConfirmDialog
        open={revoked !== null}
        onOpenChange={(open) => {
          if (open) return;
          setRevoked(null);
          remove.reset();
        }}
        title={`Revoke “${revoked?.name ?? ""}”?`}
        description="The programs that use it are refused from their next request on. It cannot be brought back."
        confirm="Revoke"
        danger
        busy={remove.isPending}
        error={remove.error && faultOf(remove.error).message}
        onConfirm={() => revoked && remove.mutate({ id: revoked.id })}
      />
    </>
  );
}

function Ends({ at }: { at: string | null }) {
  const now = useNow(60_000);
  if (at === null) return <span className="text-mute">never</span>;
  if (now === null || Date.parse(at) > now) return <Time at={at} style="date" />;
  return (
    <span className="font-medium">
      Ended <Time at={at} style="date" />
    </span>
  );
}
