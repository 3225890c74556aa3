"use client";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { type AuthAnswer, authRequest } from "@/app/auth-request";
import { Button } from "@/app/components/button";
import { DialogActions } from "@/app/components/dialog";
import { Field } from "@/app/components/field";
import { Input } from "@/app/components/input";
import { useTRPC } from "@/app/trpc/client";
import { FreshSignIn } from "./fresh-sign-in";

export const WRONG_PASSWORD = "This is not your present password.";

type PasswordPromptProps<T> = {
  /** Below `/api/auth/`; it is given the password. */
  path: string;
  /** What the button says. */
  confirm: string;
  danger?: boolean;
  onDone: (data: T) => void;
  onCancel: () => void;
};

/** Asks for the password before something that protects the account is changed; who has none signs in anew. */
export function PasswordPrompt<T>(props: PasswordPromptProps<T>) {
  const hasPassword = useQuery(useTRPC().account.safety.queryOptions()).data?.hasPassword ?? true;
  return hasPassword ? <AskForPassword {...props} /> : <FreshSignIn {...props} />;
}

function AskForPassword<T>({ path, confirm, danger, onDone, onCancel }: PasswordPromptProps<T>) {
  const [password, setPassword] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  async function submit(event: FormEvent) {
    event.preventDefault();
    if (password === "") return setProblem("must not be empty");
    setBusy(true);
    const answer: AuthAnswer<T> = await authRequest<T>(path, { password });
    setBusy(false);
    if (answer.ok) onDone(answer.data);
    else setProblem(answer.code === "INVALID_PASSWORD" ? WRONG_PASSWORD : answer.message);
  }
  return (
    <form onSubmit={submit} noValidate>
      <Field label="Your password" error={problem}>
        <Input
          type="password"
          autoComplete="current-password"
          value={password}
          onChange={(event) => setPassword(event.target.value)}
        />
      </Field>
      <DialogActions>
        <Button onClick={onCancel}>Cancel</Button>
        <Button type="submit" kind={danger ? "danger" : "primary"} busy={busy}>
          {confirm}
        </Button>
      </DialogActions>
    </form>
  );
}
