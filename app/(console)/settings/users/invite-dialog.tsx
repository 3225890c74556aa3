"use client";
import { zodResolver } from "@hookform/resolvers/zod";
import { useMutation } from "@tanstack/react-query";
import { Controller, useForm } from "react-hook-form";
import { z } from "zod";
import { Button } from "@/app/components/button";
import { Dialog, DialogActions } from "@/app/components/dialog";
import { Field } from "@/app/components/field";
import { Input } from "@/app/components/input";
import { Note } from "@/app/components/note";
import { Select } from "@/app/components/select";
import { useTRPC } from "@/app/trpc/client";
import { faultOf } from "@/app/trpc/fault";
import { roles, roleTexts } from "@/server/core/access/permissions";
import { emailSchema } from "@/server/core/contracts/accounts";
import { roleSchema } from "@/server/core/contracts/role";
import { NewLinkNote } from "./new-link-note";
import { useUsersChange } from "./use-users-change";

const schema = z.object({ email: emailSchema, role: roleSchema });
const options = roles.map((role) => ({ value: role, label: roleTexts[role].label }));

type InviteDialogProps = { open: boolean; onOpenChange: (open: boolean) => void };

export function InviteDialog({ open, onOpenChange }: InviteDialogProps) {
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title="Invite somebody">
      <InviteForm onDone={() => onOpenChange(false)} />
    </Dialog>
  );
}

/** Makes a link that lets one person in. It is shown once; the console sends nothing by itself. */
function InviteForm({ onDone }: { onDone: () => void }) {
  const trpc = useTRPC();
  const { onSettled } = useUsersChange();
  const invite = useMutation(trpc.users.invite.mutationOptions({ onSettled }));
  const form = useForm({ resolver: zodResolver(schema), defaultValues: { email: "", role: "operator" as const } });
  const { errors } = form.formState;
  const fault = invite.error ? faultOf(invite.error) : null;
  if (invite.data) return <NewLinkNote made={invite.data} email={invite.variables.email} onDone={onDone} />;
  return (
    <form onSubmit={form.handleSubmit((values) => invite.mutate(values))} noValidate className="space-y-4">
      <Field
        label="E-mail"
        hint="They sign in with it. Nothing is sent to it: you pass the link on."
        error={errors.email?.message ?? (fault?.field === "email" ? fault.message : null)}
      >
        <Input type="email" autoComplete="off" {...form.register("email")} />
      </Field>
      <Controller
        control={form.control}
        name="role"
        render={({ field }) => (
          <Field label="Role" hint={roleTexts[field.value].does}>
            <Select value={field.value} options={options} onChange={field.onChange} />
          </Field>
        )}
      />
      {fault && fault.field !== "email" && <Note tone="loss">{fault.message}</Note>}
      <DialogActions>
        <Button onClick={onDone}>Cancel</Button>
        <Button type="submit" kind="primary" busy={invite.isPending}>
          Make the link
        </Button>
      </DialogActions>
    </form>
  );
}
