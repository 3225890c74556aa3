"use client";
import { KeyRound } from "lucide-react";
import { useEffect, useState } from "react";
import { Button } from "@/app/components/button";
import { Note } from "@/app/components/note";
import { passkeysWorkHere, signInWithPasskey } from "@/app/passkey-request";

/** `host`: the name for which browsers keep this console's passkeys. Elsewhere nothing is offered. */
export function PasskeyButton({ host, target }: { host: string; target: string }) {
  const [works, setWorks] = useState(false);
  useEffect(() => setWorks(passkeysWorkHere(host)), [host]);
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  if (!works) return null;
  async function signIn() {
    setBusy(true);
    const answer = await signInWithPasskey();
    if (answer.ok) return location.assign(target);
    setBusy(false);
    setProblem(answer.code === "PASSKEY_NOT_FOUND" ? "This console does not know that passkey." : answer.message);
  }
  return (
    <div className="mt-4 space-y-4 border-line border-t pt-4">
      <Button onClick={signIn} busy={busy} className="w-full">
        {!busy && <KeyRound aria-hidden />}
        Sign in with a passkey
      </Button>
      {problem && <Note tone="loss">{problem}</Note>}
    </div>
  );
}
