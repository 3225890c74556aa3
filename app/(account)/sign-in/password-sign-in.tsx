"use client";
import { type SubmitEvent, useState } from "react";
import { Button } from "@/app/components/button";
import { Field } from "@/app/components/field";
import { Input } from "@/app/components/input";
import { Note } from "@/app/components/note";
import { afterSignIn, signIn } from "../sign-in-request";

type Fields = Record<"email" | "password", HTMLInputElement>;
type Problems = { email?: string; password?: string; refused?: string };

/** By the browser's own means: the libraries of the other forms would make the page's script a quarter larger. */
export function PasswordSignIn({ target }: { target: string }) {
  const [problems, setProblems] = useState<Problems>({});
  const [busy, setBusy] = useState(false);
  async function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    const { email, password } = event.currentTarget.elements as unknown as Fields;
    const found: Problems = {
      ...(!email.validity.valid && { email: "must be an e-mail address" }),
      ...(!password.validity.valid && { password: "must not be empty" }),
    };
    setProblems(found);
    if (found.email ?? found.password) return (found.email ? email : password).focus();
    setBusy(true);
    const result = await signIn(email.value, password.value);
    setBusy(false);
    if (result.outcome === "refused") setProblems({ refused: result.message });
    else location.assign(afterSignIn(result.outcome, target));
  }
  const forget = (of: keyof Problems) => () => problems[of] && setProblems({ ...problems, [of]: undefined });
  return (
    <form onSubmit={submit} noValidate className="space-y-4">
      <Field label="E-mail" error={problems.email}>
        <Input name="email" type="email" autoComplete="username" required onChange={forget("email")} />
      </Field>
      <Field label="Password" error={problems.password}>
        <Input name="password" type="password" autoComplete="current-password" required onChange={forget("password")} />
      </Field>
      {problems.refused && <Note tone="loss">{problems.refused}</Note>}
      <Button type="submit" kind="primary" busy={busy} className="w-full">
        Sign in
      </Button>
    </form>
  );
}
