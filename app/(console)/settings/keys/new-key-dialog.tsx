"use client";
import { zodResolver } from "@hookform/resolvers/zod";
import { useMutation } from "@tanstack/react-query";
import { Controller, useForm } from "react-hook-form";
import { z } from "zod";
import { Button } from "@/app/components/button";
import { Checkbox } from "@/app/components/checkbox";
import { Dialog, DialogActions } from "@/app/components/dialog";
import { Field } from "@/app/components/field";
import { Input } from "@/app/components/input";
import { Note } from "@/app/components/note";
import { Select } from "@/app/components/select";
import { useTRPC } from "@/app/trpc/client";
import { faultOf } from "@/app/trpc/fault";
import { type Scope, scopes, scopeTexts } from "@/server/core/access/scopes";
import { apiKeyInputSchema } from "@/server/core/contracts/api-keys";
import { NewKeyNote } from "./new-key-note";
import { useKeysChange } from "./use-keys-change";

const ends = [
  { value: "30", label: "In 30 days" },
  { value: "90", label: "In 90 days" },
  { value: "365", label: "In a year" },
  { value: "never", label: "Never" },
] as const;
const schema = apiKeyInputSchema.omit({ expiresInDays: true }).extend({ ends: z.enum(["30", "90", "365", "never"]) });
type Draft = z.infer<typeof schema>;

type NewKeyDialogProps = { open: boolean; onOpenChange: (open: boolean) => void };

export function NewKeyDialog({ open, onOpenChange }: NewKeyDialogProps) {
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title="A key for a program">
      <NewKeyForm onDone={() => onOpenChange(false)} />
    </Dialog>
  );
}

/** Makes a key. It is shown once. */
function NewKeyForm({ onDone }: { onDone: () => void }) {
  const trpc = useTRPC();
  const create = useMutation(trpc.apiKeys.create.mutationOptions(useKeysChange()));
  const form = useForm<Draft>({
    resolver: zodResolver(schema),
    defaultValues: { name: "", scopes: ["metrics"], ends: "90" },
  });
  const { errors } = form.formState;
  const fault = create.error ? faultOf(create.error) : null;
  if (create.data) return <NewKeyNote made={create.data} onDone={onDone} />;
  const submit = ({ ends: chosen, ...rest }: Draft) =>
    create.mutate({ ...rest, expiresInDays: chosen === "never" ? null : Number(chosen) });
  return (
    <form onSubmit={form.handleSubmit(submit)} noValidate className="space-y-4">
      <Field
        label="Name"
        hint="Which program has it, to know it again here and in the audit log."
        error={errors.name?.message ?? (fault?.field === "name" ? fault.message : null)}
      >
        <Input autoComplete="off" placeholder="Prometheus" {...form.register("name")} />
      </Field>
      <Controller
        control={form.control}
        name="scopes"
        render={({ field }) => (
          <Field label="Scopes" group error={errors.scopes?.message ?? null}>
            <ScopeChoice chosen={field.value} onChange={field.onChange} />
          </Field>
        )}
      />
      <Controller
        control={form.control}
        name="ends"
        render={({ field }) => (
          <Field label="Ends" hint="From then on it is refused. Make a new one before.">
            <Select value={field.value} options={ends} onChange={field.onChange} />
          </Field>
        )}
      />
      {fault && fault.field !== "name" && <Note tone="loss">{fault.message}</Note>}
      <DialogActions>
        <Button onClick={onDone}>Cancel</Button>
        <Button type="submit" kind="primary" busy={create.isPending}>
          Make the key
        </Button>
      </DialogActions>
    </form>
  );
}

function ScopeChoice({ chosen, onChange }: { chosen: readonly Scope[]; onChange: (scopes: Scope[]) => void }) {
  return (
    <div className="space-y-2.5">
      {scopes.map((scope) => (
        <Checkbox
          key={scope}
          label={scopeTexts[scope].label}
          checked={chosen.includes(scope)}
          onChange={(on) => onChange(scopes.filter((one) => (one === scope ? on : chosen.includes(one))))}
        >
          <span className="block">{scopeTexts[scope].label}</span>
          <span className="block text-[0.8125rem] text-mute">{scopeTexts[scope].does}</span>
        </Checkbox>
      ))}
    </div>
  );
}
