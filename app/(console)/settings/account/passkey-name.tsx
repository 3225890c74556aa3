"use client";
import { type FormEvent, useState } from "react";
import { Button } from "@/app/components/button";
import { DialogActions } from "@/app/components/dialog";
import { Field } from "@/app/components/field";
import { Input } from "@/app/components/input";
import { passkeyNameSchema } from "@/server/core/contracts/accounts";

type PasskeyNameProps = {
  initial: string;
  confirm: string;
  /** Resolves to what is to be told when it failed. */
  onNamed: (name: string) => Promise<string | null>;
  onCancel: () => void;
};

export function PasskeyName({ initial, confirm, onNamed, onCancel }: PasskeyNameProps) {
  const [name, setName] = useState(initial);
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  async function submit(event: FormEvent) {
    event.preventDefault();
    const parsed = passkeyNameSchema.safeParse(name);
    if (!parsed.success) return setProblem(parsed.error.issues[0]?.message ?? null);
    setBusy(true);
    setProblem(await onNamed(parsed.data));
    setBusy(false);
  }
  return (
    <form onSubmit={submit} noValidate>
      <Field label="Name" hint="By which you know the device." error={problem}>
        <Input value={name} onChange={(event) => setName(event.target.value)} autoComplete="off" />
      </Field>
      <DialogActions>
        <Button onClick={onCancel}>Cancel</Button>
        <Button type="submit" kind="primary" busy={busy}>
          {confirm}
        </Button>
      </DialogActions>
    </form>
  );
}
