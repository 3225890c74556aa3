"use client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { toast } from "sonner";
import { Button } from "@/app/components/button";
import { Card, CardTitle } from "@/app/components/card";
import { Field } from "@/app/components/field";
import { Note } from "@/app/components/note";
import { Switch } from "@/app/components/switch";
import { useTRPC } from "@/app/trpc/client";
import { faultOf } from "@/app/trpc/fault";
import type { SingleSignOnInput, SingleSignOnView } from "@/server/core/contracts/single-sign-on";
import { PeopleFields } from "./people-fields";
import { ProviderCheck } from "./provider-check";
import { ProviderFields } from "./provider-fields";
import { RoleFields } from "./role-fields";
import { firstSettings, type Problems, problemsOf } from "./sign-on-draft";

export type DraftProps = {
  draft: SingleSignOnInput;
  onChange: (part: Partial<SingleSignOnInput>) => void;
  /** What is wrong with a field. */
  said: (field: string) => string | null;
};

export function SingleSignOnForm({ view }: { view: SingleSignOnView }) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [draft, setDraft] = useState<SingleSignOnInput>(view.settings ?? firstSettings);
  const [problems, setProblems] = useState<Problems>({});
  const form = useRef<HTMLFormElement>(null);
  const set = useMutation(
    trpc.singleSignOn.set.mutationOptions({
      onSuccess: () => {
        setDraft(({ clientSecret: _, ...kept }) => kept);
        toast.success(draft.enabled ? "Saved. The sign-in page offers it." : "Saved. It is switched off.");
      },
      onSettled: () => queryClient.invalidateQueries({ queryKey: trpc.singleSignOn.pathKey() }),
    }),
  );
  const fault = set.error ? faultOf(set.error) : null;
  // The first of what is wrong may be out of sight.
  useEffect(() => {
    if (fault?.field || Object.keys(problems).length > 0)
      form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [problems, fault?.field]);
  const said = (field: string) => problems[field] ?? (fault?.field === field ? fault.message : null);
  const change = (part: Partial<SingleSignOnInput>) => setDraft((present) => ({ ...present, ...part }));
  const parts = { draft, onChange: change, said };
  return (
    <form
      ref={form}
      noValidate
      className="max-w-4xl space-y-4"
      onSubmit={(event) => {
        event.preventDefault();
        const found = problemsOf(draft);
        setProblems(found);
        if (Object.keys(found).length === 0) set.mutate(draft);
      }}
    >
      <Card>
        <CardTitle>Provider</CardTitle>
        <ProviderFields {...parts} hasSecret={view.hasSecret} redirectUri={view.redirectUri} />
      </Card>
      <Card>
        <CardTitle>Who is let in</CardTitle>
        <PeopleFields {...parts} />
      </Card>
      <Card>
        <CardTitle>Roles</CardTitle>
        <RoleFields {...parts} />
      </Card>
      <Card>
        <CardTitle>Other ways in</CardTitle>
        <Field
          row
          label="Second factor"
          hint={
            draft.trustsSecondFactor
              ? "The provider sees to it: no code is asked for here."
              : "Who has set up a second factor here is asked for its code too."
          }
        >
          <Labelled
            words="Left to the provider"
            checked={draft.trustsSecondFactor}
            onChange={(trustsSecondFactor) => change({ trustsSecondFactor })}
          />
        </Field>
        <Field
          row
          label="Passwords and passkeys"
          error={said("localSignIn")}
          hint={
            draft.localSignIn
              ? "They go on working beside single sign-on."
              : "Single sign-on alone lets people in. A one-time link still does: “stillframe user password” on the console’s own machine prints one, also when the provider is away."
          }
        >
          <Labelled
            words="Let people in"
            checked={draft.localSignIn}
            onChange={(localSignIn) => change({ localSignIn })}
          />
        </Field>
        <Field
          row
          label="Sign-out"
          hint={
            draft.signsOut
              ? `It must know ${view.signedOutUri} as an address to come back to after a sign-out.`
              : "Who signs out here stays signed in at the provider."
          }
        >
          <Labelled
            words="At the provider too"
            checked={draft.signsOut}
            onChange={(signsOut) => change({ signsOut })}
          />
        </Field>
        <Field row label="Single sign-on" hint="Off: nobody comes by it, and the settings stay.">
          <Labelled words="Switched on" checked={draft.enabled} onChange={(enabled) => change({ enabled })} />
        </Field>
      </Card>
      {fault && fault.field === null && <Note tone="loss">{fault.message}</Note>}
      <div className="flex flex-wrap items-start justify-end gap-2">
        {view.settings !== null && <ProviderCheck />}
        <Button type="submit" kind="primary" busy={set.isPending}>
          Save
        </Button>
      </div>
    </form>
  );
}

function Labelled({ words, checked, onChange }: { words: string; checked: boolean; onChange: (on: boolean) => void }) {
  return (
    <span className="flex min-h-9 items-center gap-2.5">
      <Switch checked={checked} onChange={onChange} />
      <span className="text-mute">{checked ? words : "No"}</span>
    </span>
  );
}
