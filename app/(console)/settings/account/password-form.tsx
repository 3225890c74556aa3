"use client";
import { zodResolver } from "@hookform/resolvers/zod";
import { useQueryClient } from "@tanstack/react-query";
import { useForm } from "react-hook-form";
import { toast } from "sonner";
import { z } from "zod";
import { authRequest } from "@/app/auth-request";
import { Button } from "@/app/components/button";
import { Card, CardTitle } from "@/app/components/card";
import { Field } from "@/app/components/field";
import { Input } from "@/app/components/input";
import { useTRPC } from "@/app/trpc/client";
import { PASSWORD_LENGTH, passwordSchema } from "@/server/core/contracts/accounts";
import { WRONG_PASSWORD } from "./password-prompt";

const schema = z.object({ present: z.string().min(1, "must not be empty"), next: passwordSchema });

/** Every other sign-in ends with a new password. */
export function PasswordForm() {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const form = useForm({ resolver: zodResolver(schema), defaultValues: { present: "", next: "" } });
  const { errors, isSubmitting } = form.formState;
  const submit = form.handleSubmit(async ({ present, next }) => {
    const answer = await change(present, next);
    if (answer.ok) {
      form.reset();
      toast.success("Your password is changed; your other sign-ins have ended.");
      await queryClient.invalidateQueries({ queryKey: trpc.account.sessions.queryKey() });
    } else form.setError(answer.field, { message: answer.message }, { shouldFocus: true });
  });
  return (
    <Card>
      <CardTitle>Password</CardTitle>
      <form onSubmit={submit} noValidate className="grid gap-4 sm:grid-cols-2">
        <Field label="Present password" error={errors.present?.message}>
          <Input type="password" autoComplete="current-password" {...form.register("present")} />
        </Field>
        <Field label="New password" hint={`At least ${PASSWORD_LENGTH.min} characters.`} error={errors.next?.message}>
          <Input type="password" autoComplete="new-password" {...form.register("next")} />
        </Field>
        <div className="flex justify-end sm:col-span-2">
          <Button type="submit" kind="primary" busy={isSubmitting}>
            Change password
          </Button>
        </div>
      </form>
    </Card>
  );
}

type Answer = { ok: true } | { ok: false; field: "present" | "next"; message: string };

async function change(currentPassword: string, newPassword: string): Promise<Answer> {
  const answer = await authRequest("change-password", { currentPassword, newPassword, revokeOtherSessions: true });
  if (answer.ok) return { ok: true };
  if (answer.code === "INVALID_PASSWORD") return { ok: false, field: "present", message: WRONG_PASSWORD };
  return { ok: false, field: "next", message: answer.message };
}
