"use client";
import { Plus, X } from "lucide-react";
import { Button } from "@/app/components/button";
import { Field } from "@/app/components/field";
import { Input } from "@/app/components/input";
import { Segmented } from "@/app/components/segmented";
import { Select } from "@/app/components/select";
import { roles, roleTexts } from "@/server/core/access/permissions";
import type { RoleRule } from "@/server/core/contracts/single-sign-on";
import type { DraftProps } from "./single-sign-on-form";

const roleOptions = roles.map((role) => ({ value: role, label: roleTexts[role].label }));
const otherwiseOptions = [{ value: "refuse", label: "Refuse them" }, ...roleOptions] as const;
const sources = [
  { value: "claim", label: "By the provider" },
  { value: "here", label: "Here" },
] as const;
const USUAL_CLAIM = "groups";

/** Which role somebody has who comes by the provider. */
export function RoleFields({ draft, onChange, said }: DraftProps) {
  const { roleClaim, roleRules, otherwise } = draft;
  const byClaim = roleClaim !== null;
  const setRule = (at: number, change: Partial<RoleRule>) =>
    onChange({ roleRules: roleRules.map((rule, index) => (index === at ? { ...rule, ...change } : rule)) });
  return (
    <>
      <Field
        row
        group
        label="Given"
        hint={
          byClaim
            ? "Anew at each sign-in. The only administrator stays one."
            : "Under Users and roles, or by an invitation. A sign-in leaves them as they are."
        }
      >
        <Segmented
          value={byClaim ? "claim" : "here"}
          options={sources}
          onChange={(source) =>
            onChange(source === "claim" ? { roleClaim: USUAL_CLAIM } : { roleClaim: null, roleRules: [] })
          }
        />
      </Field>
      {byClaim && (
        <>
          <Field
            row
            label="Claim"
            error={said("roleClaim")}
            hint="Where the provider tells groups or roles; dots lead into an object, as in realm_access.roles."
          >
            <Input
              spellCheck={false}
              autoComplete="off"
              className="max-w-64 font-mono text-[0.8125rem]"
              value={roleClaim}
              onChange={(event) => onChange({ roleClaim: event.target.value.trim() })}
            />
          </Field>
          <Field row group label="Rules" hint="Of several that fit, the highest role counts.">
            <ul className="space-y-2">
              {roleRules.map((rule, at) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: a rule is its place, and its text changes while typed.
                <li key={at} className="flex flex-wrap items-start gap-2">
                  <Field
                    label={`Value of rule ${at + 1}`}
                    labelHidden
                    error={said(`roleRules.${at}.value`)}
                    className="flex-[1_1_10rem]"
                  >
                    <Input
                      placeholder="backup-operators"
                      spellCheck={false}
                      autoComplete="off"
                      value={rule.value}
                      onChange={(event) => setRule(at, { value: event.target.value })}
                    />
                  </Field>
                  <Select
                    label={`Role of rule ${at + 1}`}
                    value={rule.role}
                    options={roleOptions}
                    onChange={(role) => setRule(at, { role })}
                  />
                  <Button
                    kind="quiet"
                    size="icon"
                    aria-label={`Remove rule ${at + 1}`}
                    onClick={() => onChange({ roleRules: roleRules.filter((_, index) => index !== at) })}
                  >
                    <X aria-hidden />
                  </Button>
                </li>
              ))}
            </ul>
            <Button
              size="small"
              className={roleRules.length > 0 ? "mt-2" : undefined}
              onClick={() => onChange({ roleRules: [...roleRules, { value: "", role: "viewer" }] })}
            >
              <Plus aria-hidden />
              Add a rule
            </Button>
          </Field>
        </>
      )}
      <Field
        row
        label={byClaim ? "Where no rule fits" : "Who comes uninvited"}
        hint={otherwise === "refuse" ? undefined : `${roleTexts[otherwise].label}: ${roleTexts[otherwise].does}`}
      >
        <Select value={otherwise} options={otherwiseOptions} onChange={(next) => onChange({ otherwise: next })} />
      </Field>
    </>
  );
}
