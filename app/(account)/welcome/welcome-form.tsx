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
import { signIn } from "../sign-in-request";

const schema = z.object({
  name: z.string().trim().min(1, "must not be empty").max(100, "must be at most 100 characters"),
  email: z.email("must be an e-mail address"),
  password: z.string().min(10, "must have at least 10 characters").max(128, "must have at most 128 characters"),
});
const fields = ["name", "email", "password"] as const;

export function WelcomeForm({ token }: { token: string }) {
  const trpc = useTRPC();
  const create = useMutation(trpc.account.createAdministrator.mutationOptions());
  const form = useForm({ resolver: zodResolver(schema), defaultValues: { name: "", email: "", password: "" } });
  const { errors, isSubmitting } = form.formState;
  const submit = form.handleSubmit(async (values) => {
    try {
      await create.mutateAsync({ token, ...values });
    } catch (error) {
      const fault = faultOf(error);
      form.setError(fields.find((field) => field === fault.field) ?? "root", { message: fault.message });
      return;
    }
    const problem = await signIn(values.email, values.password);
    location.assign(problem ? "/sign-in" : "/");
  });
  return (
    <Card className="p-5">
      <h1 className="font-semibold text-lg tracking-tight">Welcome</h1>
      <p className="mt-1 mb-4 text-mute">Create the administrator of this console. The link works once.</p>
      <form onSubmit={submit} noValidate className="space-y-4">
        <Field label="Your name" error={errors.name?.message}>
          <Input autoComplete="name" {...form.register("name")} />
        </Field>
        <Field label="E-mail" hint="You sign in with it. Nothing is sent to it." error={errors.email?.message}>
          <Input type="email" autoComplete="username" {...form.register("email")} />
        </Field>
        <Field label="Password" hint="At least 10 characters." error={errors.password?.message}>
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
