"use client";
import { type FormEvent, useState } from "react";
import { authRequest } from "@/app/auth-request";
import { Button } from "@/app/components/button";
import { DialogActions } from "@/app/components/dialog";
import { Field } from "@/app/components/field";
import { Input } from "@/app/components/input";
import { CODE_DIGITS } from "@/server/core/contracts/accounts";
import { BackupCodes } from "./backup-codes";
import { PasswordPrompt } from "./password-prompt";
import { QrCode } from "./qr-code";

type Made = { totpURI: string; backupCodes: string[] };

/** Password, then the secret for the app and a code to show that it has it, then the backup codes. */
export function SecondFactorSetup({ onDone }: { onDone: () => void }) {
  const [made, setMade] = useState<Made | null>(null);
  const [confirmed, setConfirmed] = useState(false);
  if (!made) {
    return (
      <>
        <p className="mb-4 text-mute">
          You need an authenticator app: any that shows six-digit codes, on your phone or in a password manager.
        </p>
        <PasswordPrompt<Made> path="two-factor/enable" confirm="Continue" onDone={setMade} onCancel={onDone} />
      </>
    );
  }
  if (confirmed) return <BackupCodes codes={made.backupCodes} onDone={onDone} />;
  return <ConfirmCode uri={made.totpURI} onConfirmed={() => setConfirmed(true)} onCancel={onDone} />;
}

type ConfirmCodeProps = { uri: string; onConfirmed: () => void; onCancel: () => void };

function ConfirmCode({ uri, onConfirmed, onCancel }: ConfirmCodeProps) {
  const [code, setCode] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const secret = new URL(uri).searchParams.get("secret") ?? "";
  async function submit(event: FormEvent) {
    event.preventDefault();
    const typed = code.replace(/\D/g, "");
    if (typed.length !== CODE_DIGITS) return setProblem(`must have ${CODE_DIGITS} digits`);
    setBusy(true);
    const answer = await authRequest("two-factor/verify-totp", { code: typed });
    setBusy(false);
    if (answer.ok) return onConfirmed();
    const wrong = "This code is not right. Take the one that the app shows now, and check the clock of its device.";
    setProblem(answer.code === "INVALID_CODE" ? wrong : answer.message);
  }
  return (
    <form onSubmit={submit} noValidate className="space-y-4">
      <div className="flex flex-wrap items-start gap-x-5 gap-y-3">
        <QrCode text={uri} label="QR code for your authenticator app" />
        <div className="min-w-0 flex-[1_1_13rem]">
          <p>Scan this with your app, or type the key into it:</p>
          <p className="wrap-anywhere mt-2 select-all rounded-lg bg-soft px-2.5 py-2 font-mono text-[0.8125rem]">
            {secret.match(/.{1,4}/g)?.join(" ")}
          </p>
        </div>
      </div>
      <Field label="Code from your app" hint="Six digits. It counts from now on." error={problem}>
        <Input
          value={code}
          onChange={(event) => setCode(event.target.value)}
          autoComplete="one-time-code"
          inputMode="numeric"
          spellCheck={false}
          className="font-mono tracking-widest"
        />
      </Field>
      <DialogActions>
        <Button onClick={onCancel}>Cancel</Button>
        <Button type="submit" kind="primary" busy={busy}>
          Turn it on
        </Button>
      </DialogActions>
    </form>
  );
}
