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
import { roleTexts } from "@/server/core/access/permissions";
import {
  emailSchema,
  type LinkView,
  PASSWORD_LENGTH,
  passwordSchema,
  personNameSchema,
} from "@/server/core/contracts/accounts";
import { afterSignIn, signIn } from "../sign-in-request";

const schema = z.object({ name: personNameSchema, email: emailSchema, password: passwordSchema });
const fields = ["name", "email", "password"] as const;

/** `link.email` is null for the first administrator, who chooses one. */
type WelcomeFormProps = { token: string; link: Pick<LinkView, "role" | "email"> };

export function WelcomeForm({ token, link }: WelcomeFormProps) {
  const trpc = useTRPC();
  const create = useMutation(trpc.account.create.mutationOptions());
  const form = useForm({
    resolver: zodResolver(schema),
    defaultValues: { name: "", email: link.email ?? "", password: "" },
  });
  const { errors, isSubmitting } = form.formState;
  const submit = form.handleSubmit(async (values) => {
    try {
      await create.mutateAsync({ token, ...values });
    } catch (error) {
      const fault = faultOf(error);
      form.setError(fields.find((field) => field === fault.field) ?? "root", { message: fault.message });
      return;
    }
    const { outcome } = await signIn(values.email, values.password);
    location.assign(outcome === "refused" ? "/sign-in" : afterSignIn(outcome, "/"));
  });
  return (
    <Card className="p-5">
      <h1 className="font-semibold text-lg tracking-tight">Welcome</h1>
      <p className="mt-1 mb-4 text-mute">
        {link.email === null
          ? "Create the administrator of this console. The link works once."
          : `You are invited to this console as ${roleTexts[link.role].label.toLowerCase()}. ${roleTexts[link.role].does} The link works once.`}
      </p>
      <form onSubmit={submit} noValidate className="space-y-4">
        <Field label="Your name" error={errors.name?.message}>
          <Input autoComplete="name" {...form.register("name")} />
        </Field>
        <Field label="E-mail" hint="You sign in with it. Nothing is sent to it." error={errors.email?.message}>
          <Input type="email" autoComplete="username" readOnly={link.email !== null} {...form.register("email")} />
        </Field>
        <Field label="Password" hint={`At least ${PASSWORD_LENGTH.min} characters.`} error={errors.password?.message}>
          <Input type="password" autoComplete="new-password" {...form.register("password")} />
        </Field>
        {errors.root && <Note tone="loss">{errors.root.message}</Note>}
        <Button type="submit" kind="primary" busy={isSubmitting} className="w-full">
          Create and sign in
        </Button>
      </form>
    </Card>
  );
}
