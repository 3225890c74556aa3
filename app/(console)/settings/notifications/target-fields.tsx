"use client";
import { Field } from "@/app/components/field";
import { Input } from "@/app/components/input";
import { LinesInput } from "@/app/components/lines-input";
import { Segmented } from "@/app/components/segmented";
import type { Target } from "@/server/core/contracts/notifications";

type TargetFieldsProps = {
  target: Target;
  onChange: (target: Target) => void;
  /** What is wrong with a field. */
  said: (field: string) => string | null;
};

const securities = [
  { value: "starttls", label: "STARTTLS" },
  { value: "tls", label: "TLS" },
  { value: "none", label: "None" },
] as const;
const usualPorts = { starttls: 587, tls: 465, none: 25 } as const;

export function TargetFields({ target, onChange, said }: TargetFieldsProps) {
  switch (target.kind) {
    case "email":
      return <EmailFields target={target} onChange={onChange} said={said} />;
    case "webhook":
      return (
        <Field label="Address" error={said("target.url")} hint="Anything but an answer 2xx is tried again.">
          <Input
            type="url"
            inputMode="url"
            autoComplete="off"
            placeholder="https://example.net/hooks/backup"
            value={target.url}
            onChange={(event) => onChange({ ...target, url: event.target.value.trim() })}
          />
        </Field>
      );
    case "ntfy":
      return (
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label="Server" error={said("target.server")}>
            <Input
              type="url"
              inputMode="url"
              autoComplete="off"
              value={target.server}
              onChange={(event) => onChange({ ...target, server: event.target.value.trim() })}
            />
          </Field>
          <Field label="Topic" error={said("target.topic")}>
            <Input
              autoComplete="off"
              spellCheck={false}
              value={target.topic}
              onChange={(event) => onChange({ ...target, topic: event.target.value.trim() })}
            />
          </Field>
        </div>
      );
    case "slack":
      return null;
  }
}

function EmailFields({ target, onChange, said }: TargetFieldsProps & { target: Target & { kind: "email" } }) {
  const { host, port, security, user, from, to } = target;
  return (
    <>
      <Field label="Recipients" error={said("target.to")} hint="One a line.">
        <LinesInput value={to} placeholder="ops@example.net" onChange={(next) => onChange({ ...target, to: next })} />
      </Field>
      <Field label="Sender" error={said("target.from")}>
        <Input
          type="email"
          autoComplete="off"
          placeholder="stillframe@example.net"
          value={from}
          onChange={(event) => onChange({ ...target, from: event.target.value.trim() })}
        />
      </Field>
      <div className="grid gap-4 sm:grid-cols-[1fr_7rem]">
        <Field label="Mail server" error={said("target.host")}>
          <Input
            autoComplete="off"
            spellCheck={false}
            placeholder="mail.example.net"
            value={host}
            onChange={(event) => onChange({ ...target, host: event.target.value })}
          />
        </Field>
        <Field label="Port" error={said("target.port")}>
          <Input
            inputMode="numeric"
            autoComplete="off"
            value={Number.isFinite(port) ? String(port) : ""}
            onChange={(event) => onChange({ ...target, port: Number.parseInt(event.target.value, 10) })}
          />
        </Field>
      </div>
      <Field label="Encryption" error={said("target.security")} group>
        <Segmented
          value={security}
          options={securities}
          onChange={(next) =>
            onChange({ ...target, security: next, port: port === usualPorts[security] ? usualPorts[next] : port })
          }
        />
      </Field>
      <Field label="User" error={said("target.user")} hint="Empty: the server takes mail without signing in.">
        <Input
          autoComplete="off"
          spellCheck={false}
          value={user ?? ""}
          onChange={(event) => onChange({ ...target, user: event.target.value.trim() || null })}
        />
      </Field>
    </>
  );
}
