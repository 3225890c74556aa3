"use client";
import { zodResolver } from "@hookform/resolvers/zod";
import { useForm } from "react-hook-form";
import { z } from "zod";
import { Button } from "@/app/components/button";
import { Card } from "@/app/components/card";
import { Field } from "@/app/components/field";
import { Input } from "@/app/components/input";
import { Note } from "@/app/components/note";
import { afterSignIn, signIn } from "../sign-in-request";
import { PasskeyButton } from "./passkey-button";

const schema = z.object({
  email: z.email("must be an e-mail address"),
  password: z.string().min(1, "must not be empty"),
});

/** `passkeyHost`: null while nobody has a passkey. */
export function SignInForm({ target, passkeyHost }: { target: string; passkeyHost: string | null }) {
  const form = useForm({ resolver: zodResolver(schema), defaultValues: { email: "", password: "" } });
  const { errors, isSubmitting } = form.formState;
  const submit = form.handleSubmit(async ({ email, password }) => {
    const result = await signIn(email, password);
    if (result.outcome === "refused") form.setError("root", { message: result.message });
    else location.assign(afterSignIn(result.outcome, target));
  });
  return (
    <Card className="p-5">
      <h1 className="mb-4 font-semibold text-lg tracking-tight">Sign in</h1>
      <form onSubmit={submit} noValidate className="space-y-4">
        <Field label="E-mail" error={errors.email?.message}>
          <Input type="email" autoComplete="username" {...form.register("email")} />
        </Field>
        <Field label="Password" error={errors.password?.message}>
          <Input type="password" autoComplete="current-password" {...form.register("password")} />
        </Field>
        {errors.root && <Note tone="loss">{errors.root.message}</Note>}
        <Button type="submit" kind="primary" busy={isSubmitting} className="w-full">
          Sign in
        </Button>
      </form>
      {passkeyHost !== null && <PasskeyButton host={passkeyHost} target={target} />}
    </Card>
  );
}
