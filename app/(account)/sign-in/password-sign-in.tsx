"use client";
import { zodResolver } from "@hookform/resolvers/zod";
import { useForm } from "react-hook-form";
import { z } from "zod";
import { Button } from "@/app/components/button";
import { Field } from "@/app/components/field";
import { Input } from "@/app/components/input";
import { Note } from "@/app/components/note";
import { afterSignIn, signIn } from "../sign-in-request";

const schema = z.object({
  email: z.email("must be an e-mail address"),
  password: z.string().min(1, "must not be empty"),
});

export function PasswordSignIn({ target }: { target: string }) {
  const form = useForm({ resolver: zodResolver(schema), defaultValues: { email: "", password: "" } });
  const { errors, isSubmitting } = form.formState;
  const submit = form.handleSubmit(async ({ email, password }) => {
    const result = await signIn(email, password);
    if (result.outcome === "refused") form.setError("root", { message: result.message });
    else location.assign(afterSignIn(result.outcome, target));
  });
  return (
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
  );
}
