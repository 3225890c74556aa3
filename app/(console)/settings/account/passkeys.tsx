"use client";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { KeyRound } from "lucide-react";
import { useEffect, useState } from "react";
import { toast } from "sonner";
import { Button } from "@/app/components/button";
import { Card, CardTitle } from "@/app/components/card";
import { ConfirmDialog } from "@/app/components/confirm-dialog";
import { Dialog } from "@/app/components/dialog";
import { Note } from "@/app/components/note";
import { Ago } from "@/app/components/time";
import { Unanswered } from "@/app/components/unanswered";
import { addPasskey, passkeysWorkHere } from "@/app/passkey-request";
import { useTRPC } from "@/app/trpc/client";
import { faultOf } from "@/app/trpc/fault";
import type { PasskeyView } from "@/server/core/contracts/accounts";
import { browserName } from "./browser-name";
import { PasskeyName } from "./passkey-name";

/** Sign-in by a device that knows its user, in place of password and code. */
export function Passkeys() {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const safety = useQuery(trpc.account.safety.queryOptions());
  const [adding, setAdding] = useState(false);
  const [renaming, setRenaming] = useState<PasskeyView | null>(null);
  const [removing, setRemoving] = useState<PasskeyView | null>(null);
  const host = safety.data?.passkeyHost;
  // Known in the browser alone; until then nothing is offered.
  const [works, setWorks] = useState<boolean | null>(null);
  useEffect(() => setWorks(host === undefined ? null : passkeysWorkHere(host)), [host]);
  const again = () => queryClient.invalidateQueries({ queryKey: trpc.account.safety.queryKey() });
  const rename = useMutation(trpc.account.renamePasskey.mutationOptions({ onSettled: again }));
  const remove = useMutation(
    trpc.account.removePasskey.mutationOptions({ onSettled: again, onSuccess: () => setRemoving(null) }),
  );
  const passkeys = safety.data?.passkeys ?? [];
  return (
    <Card>
      <CardTitle
        aside={
          works && (
            <Button size="small" onClick={() => setAdding(true)}>
              Add a passkey
            </Button>
          )
        }
      >
        Passkeys
      </CardTitle>
      <Unanswered query={safety} of="passkeys" />
      {safety.data && passkeys.length === 0 && (
        <p className="text-mute">
          None yet. With one you sign in by fingerprint, face or PIN of your device; no password or code is asked for,
          and no other site can ask for it.
        </p>
      )}
      <ul className="divide-y divide-line">
        {passkeys.map((passkey) => (
          <li key={passkey.id} className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 py-2.5">
            <div className="flex min-w-0 gap-2.5">
              <KeyRound className="mt-0.5 size-4 shrink-0 text-mute" aria-hidden />
              <div className="min-w-0">
                <p className="wrap-anywhere font-medium">{passkey.name}</p>
                <p className="text-mute text-xs">
                  added <Ago at={passkey.createdAt} />
                </p>
              </div>
            </div>
            <span className="flex gap-1.5">
              <Button size="small" onClick={() => setRenaming(passkey)} aria-label={`Rename ${passkey.name}`}>
                Rename
              </Button>
              <Button size="small" onClick={() => setRemoving(passkey)} aria-label={`Remove ${passkey.name}`}>
                Remove
              </Button>
            </span>
          </li>
        ))}
      </ul>
      {works === false && (
        <Note className="mt-3">
          Browsers keep passkeys for the name <span className="font-mono">{host}</span> of this console, over HTTPS or
          on the console’s own machine. Open it there to add one.
        </Note>
      )}
      <Dialog open={adding} onOpenChange={setAdding} title="Add a passkey">
        <PasskeyName
          initial={typeof navigator === "undefined" ? "" : browserName(navigator.userAgent)}
          confirm="Continue"
          onCancel={() => setAdding(false)}
          onNamed={async (name) => {
            const answer = await addPasskey(name);
            if (!answer.ok) return answer.code === "SESSION_NOT_FRESH" ? NOT_FRESH : answer.message;
            toast.success(`${name} is your passkey now.`);
            setAdding(false);
            await again();
            return null;
          }}
        />
      </Dialog>
      <Dialog
        open={renaming !== null}
        onOpenChange={(open) => !open && setRenaming(null)}
        title={`Rename ${renaming?.name ?? ""}`}
      >
        <PasskeyName
          initial={renaming?.name ?? ""}
          confirm="Rename"
          onCancel={() => setRenaming(null)}
          onNamed={async (name) => {
            try {
              await rename.mutateAsync({ id: renaming?.id ?? "", name });
            } catch (error) {
              return faultOf(error).message;
            }
            setRenaming(null);
            return null;
          }}
        />
      </Dialog>
      <ConfirmDialog
        open={removing !== null}
        onOpenChange={(open) => !open && setRemoving(null)}
        title={`Remove ${removing?.name ?? ""}?`}
        description="It lets nobody in any more. Your device may go on listing it until you delete it there too."
        confirm="Remove"
        danger
        busy={remove.isPending}
        error={remove.error ? faultOf(remove.error).message : null}
        onConfirm={() => removing && remove.mutate({ id: removing.id })}
      />
    </Card>
  );
}

const NOT_FRESH = "You signed in more than a day ago. Sign out and in again, then add it.";
