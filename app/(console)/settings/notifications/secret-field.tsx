"use client";
import { toast } from "sonner";
import { Button } from "@/app/components/button";
import { Checkbox } from "@/app/components/checkbox";
import { Field } from "@/app/components/field";
import { Input } from "@/app/components/input";
import type { ChannelKind, Target } from "@/server/core/contracts/notifications";
import { kindTexts, needsSecret, signingSecretOf } from "@/server/core/notifications/target";

const SECRET_BYTES = 32;

const hints: Record<ChannelKind, string> = {
  email: "",
  webhook: "The receiver checks the header webhook-signature with it. Copy it now: it is not shown again.",
  ntfy: "Only where the server or the topic wants one.",
  slack: "Who knows it can write into the channel, so it is kept like a password and not shown again.",
};

type SecretFieldProps = {
  target: Target;
  /** Undefined: the stored one stays. Null: it is removed. */
  secret: string | null | undefined;
  stored: boolean;
  error: string | null;
  onChange: (secret: string | null | undefined) => void;
};

export function SecretField({ target, secret, stored, error, onChange }: SecretFieldProps) {
  const { kind } = target;
  if (kind === "email" && target.user === null) return null;
  const removable = stored && !needsSecret(target);
  async function make() {
    const made = signingSecretOf(crypto.getRandomValues(new Uint8Array(SECRET_BYTES)));
    onChange(made);
    try {
      await navigator.clipboard.writeText(made);
      toast.success("Made and copied.");
    } catch {
      // Not every browser allows it; the secret stands in the field.
    }
  }
  return (
    <div className="space-y-2">
      <Field label={kindTexts[kind].secret} error={error} hint={hints[kind]}>
        <Input
          type={kind === "webhook" ? "text" : "password"}
          autoComplete="new-password"
          spellCheck={false}
          className="font-mono text-[0.8125rem]"
          disabled={secret === null}
          placeholder={stored ? "stored; leave empty to keep it" : kind === "webhook" ? "whsec_…" : undefined}
          value={secret ?? ""}
          onChange={(event) => onChange(event.target.value.trim() || undefined)}
        />
      </Field>
      {kind === "webhook" && (
        <Button size="small" onClick={make}>
          Make one
        </Button>
      )}
      {removable && (
        <Checkbox
          label="Remove the stored one"
          checked={secret === null}
          onChange={(remove) => onChange(remove ? null : undefined)}
        />
      )}
    </div>
  );
}
