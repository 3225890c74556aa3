"use client";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { PasskeyButton } from "@/app/(account)/sign-in/passkey-button";
import { authRequest } from "@/app/auth-request";
import { Button } from "@/app/components/button";
import { DialogActions } from "@/app/components/dialog";
import { Note } from "@/app/components/note";
import { useTRPC } from "@/app/trpc/client";

type FreshSignInProps<T> = {
  /** Below `/api/auth/`. */
  path: string;
  confirm: string;
  danger?: boolean;
  onDone: (data: T) => void;
  onCancel: () => void;
};

const BACK = "/settings/account";

/** In place of a password, where there is none: a sign-in of the last minutes, by the provider or a passkey. */
export function FreshSignIn<T>({ path, confirm, danger, onDone, onCancel }: FreshSignInProps<T>) {
  const trpc = useTRPC();
  const ways = useQuery(trpc.account.signInWays.queryOptions()).data;
  const passkeys = useQuery(trpc.account.safety.queryOptions()).data?.passkeys ?? [];
  const [refused, setRefused] = useState<{ again: boolean; message: string } | null>(null);
  const [busy, setBusy] = useState(false);
  async function go() {
    setBusy(true);
    const answer = await authRequest<T>(path, {});
    setBusy(false);
    if (answer.ok) onDone(answer.data);
    else setRefused({ again: answer.code === "SIGN_IN_AGAIN", message: answer.message });
  }
  return (
    <div>
      {refused && (
        <Note tone={refused.again ? "info" : "loss"} title={refused.again ? "Show first that it is you" : "Not done"}>
          {refused.message}
        </Note>
      )}
      {refused?.again && ways?.singleSignOn && (
        <Button asChild kind="primary" className="mt-3 w-full">
          <a href={`/api/auth/single-sign-on/begin?anew=1&next=${encodeURIComponent(BACK)}`}>
            Sign in again with {ways.singleSignOn}
          </a>
        </Button>
      )}
      {refused?.again && passkeys.length > 0 && ways?.passkeyHost && (
        <PasskeyButton host={ways.passkeyHost} target={BACK} />
      )}
      <DialogActions>
        <Button onClick={onCancel}>Cancel</Button>
        {!refused?.again && (
          <Button kind={danger ? "danger" : "primary"} busy={busy} onClick={go}>
            {confirm}
          </Button>
        )}
      </DialogActions>
    </div>
  );
}
