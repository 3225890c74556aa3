"use client";
import { zodResolver } from "@hookform/resolvers/zod";
import { useMutation } from "@tanstack/react-query";
import { useForm } from "react-hook-form";
import { z } from "zod";
import { Button } from "@/app/components/button";
import { Card } from "@/app/components/card";
import { Field } from "@/app/components/field";
import { Input } from "@/app/components/input";
import { Note } from "@/app/components/note";
import { useTRPC } from "@/app/trpc/client";
import { faultOf } from "@/app/trpc/fault";
import { PASSWORD_LENGTH, passwordSchema } from "@/server/core/contracts/accounts";
import { afterSignIn, signIn } from "../sign-in-request";

const schema = z.object({ password: passwordSchema });

export function NewPasswordForm({ token, email }: { token: string; email: string }) {
  const trpc = useTRPC();
  const set = useMutation(trpc.account.setPassword.mutationOptions());
  const form = useForm({ resolver: zodResolver(schema), defaultValues: { password: "" } });
  const { errors, isSubmitting } = form.formState;
  const submit = form.handleSubmit(async ({ password }) => {
    try {
      await set.mutateAsync({ token, password });
    } catch (error) {
      form.setError("root", { message: faultOf(error).message });
      return;
    }
    const { outcome } = await signIn(email, password);
    location.assign(outcome === "refused" ? "/sign-in" : afterSignIn(outcome, "/"));
  });
  return (
    <Card className="p-5">
      <h1 className="font-semibold text-lg tracking-tight">A new password</h1>
      <p className="wrap-anywhere mt-1 mb-4 text-mute">
        For {email}. Sign-ins with the old one end. The link works once.
      </p>
      <form onSubmit={submit} noValidate className="space-y-4">
        <input type="email" autoComplete="username" value={email} readOnly hidden />
        <Field
          label="New password"
          hint={`At least ${PASSWORD_LENGTH.min} characters.`}
          error={errors.password?.message}
        >
          <Input type="password" autoComplete="new-password" {...form.register("password")} />
        </Field>
        {errors.root && <Note tone="loss">{errors.root.message}</Note>}
        <Button type="submit" kind="primary" busy={isSubmitting} className="w-full">
          Set it and sign in
        </Button>
      </form>
    </Card>
  );
}
