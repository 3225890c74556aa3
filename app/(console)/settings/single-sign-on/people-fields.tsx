"use client";
import { Checkbox } from "@/app/components/checkbox";
import { Field } from "@/app/components/field";
import { LinesInput } from "@/app/components/lines-input";
import type { DraftProps } from "./single-sign-on-form";

/** Whose address counts, and what becomes of who has an account here already. */
export function PeopleFields({ draft, onChange, said }: DraftProps) {
  return (
    <>
      <Field
        row
        label="E-mail domains"
        error={said("emailDomains")}
        hint="One a line; addresses of others are refused. Empty: any domain."
      >
        <LinesInput
          value={draft.emailDomains}
          placeholder="example.net"
          onChange={(emailDomains) => onChange({ emailDomains })}
        />
      </Field>
      <Field row group label="Verified addresses">
        <div className="pt-1.5">
          <Checkbox
            label="An address counts as verified when the provider does not say"
            checked={draft.assumesVerified}
            onChange={(assumesVerified) => onChange({ assumesVerified })}
          />
          <p className="mt-1.5 text-[0.8125rem] text-mute">
            Only where nobody can choose their own address at the provider. One that it calls unverified is refused.
          </p>
        </div>
      </Field>
      <Field row group label="Existing accounts">
        <div className="pt-1.5">
          <Checkbox
            label="Link them by their verified address"
            checked={draft.linksExisting}
            onChange={(linksExisting) => onChange({ linksExisting })}
          />
          <p className="mt-1.5 text-[0.8125rem] text-mute">
            {draft.linksExisting
              ? "Who has an account here is let into it by the same address at the provider."
              : "Who has an account here with the same address is refused, unless they were linked before."}
          </p>
        </div>
      </Field>
    </>
  );
}
