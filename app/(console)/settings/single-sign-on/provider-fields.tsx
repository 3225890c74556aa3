"use client";
import { Button } from "@/app/components/button";
import { copyText } from "@/app/components/copy-text";
import { Field } from "@/app/components/field";
import { Input } from "@/app/components/input";
import type { DraftProps } from "./single-sign-on-form";

/** Where the provider is, and how this console is known to it. */
export function ProviderFields({
  draft,
  onChange,
  said,
  hasSecret,
  redirectUri,
}: DraftProps & { hasSecret: boolean; redirectUri: string }) {
  return (
    <>
      <Field row label="Name" error={said("label")} hint="The sign-in page’s button says “Sign in with …”.">
        <Input
          className="max-w-64"
          placeholder="Example account"
          autoComplete="off"
          value={draft.label}
          onChange={(event) => onChange({ label: event.target.value })}
        />
      </Field>
      <Field row label="Issuer" error={said("issuer")} hint="The provider’s address as it calls itself.">
        <Input
          type="url"
          inputMode="url"
          spellCheck={false}
          autoComplete="off"
          placeholder="https://login.example.net/realms/staff"
          value={draft.issuer}
          onChange={(event) => onChange({ issuer: event.target.value.trim() })}
        />
      </Field>
      <Field row label="Redirect address" hint="The provider must allow it for this client, to the letter.">
        <span className="flex gap-2">
          <Input
            readOnly
            value={redirectUri}
            className="font-mono text-[0.8125rem]"
            onFocus={(event) => event.target.select()}
          />
          <Button onClick={() => copyText(redirectUri, "address")}>Copy</Button>
        </span>
      </Field>
      <Field row label="Client id" error={said("clientId")}>
        <Input
          spellCheck={false}
          autoComplete="off"
          className="font-mono text-[0.8125rem]"
          value={draft.clientId}
          onChange={(event) => onChange({ clientId: event.target.value.trim() })}
        />
      </Field>
      <Field
        row
        label="Client secret"
        error={said("clientSecret")}
        hint="Kept encrypted and not shown again. Empty where the provider knows this client as a public one."
      >
        <Input
          type="password"
          autoComplete="new-password"
          className="font-mono text-[0.8125rem]"
          placeholder={hasSecret ? "stored; leave empty to keep it" : undefined}
          value={draft.clientSecret ?? ""}
          onChange={(event) => onChange({ clientSecret: event.target.value.trim() || undefined })}
        />
      </Field>
      <Field
        row
        label="Scopes"
        error={said("scopes")}
        hint="What the provider is asked for. Some tell groups only when a scope for them is named."
      >
        <Input
          spellCheck={false}
          autoComplete="off"
          className="font-mono text-[0.8125rem]"
          defaultValue={draft.scopes.join(" ")}
          onChange={(event) => onChange({ scopes: event.target.value.split(/\s+/).filter(Boolean) })}
        />
      </Field>
    </>
  );
}
