"use client";
import { Trash2 } from "lucide-react";
import { Button } from "@/app/components/button";
import { Field } from "@/app/components/field";
import { Input, TextArea } from "@/app/components/input";
import { SecondsInput } from "@/app/components/seconds-input";
import { Segmented } from "@/app/components/segmented";
import { Select } from "@/app/components/select";
import type { Hook, HookMoment } from "@/server/core/contracts/hooks";
import { May } from "../../access/may";
import { firstMessage } from "./first-message";
import { HookTrial } from "./hook-trial";

type HookFieldsProps = {
  hook: Hook;
  /** How it is called where it has no name of its own. */
  label: string;
  /** What the form found wrong, by field. */
  errors: object | undefined;
  onChange: (hook: Hook) => void;
  onRemove: () => void;
};

const moments: Record<HookMoment, { label: string; does: string; example: string }> = {
  preFreeze: {
    label: "Before the freeze",
    does: "Runs to its end before anything is frozen.",
    example: "runuser -u postgres -- psql -c CHECKPOINT",
  },
  freezeHold: {
    label: "During the freeze, holding",
    does: "Prints a line READY once its application stands still. Right after the instant its input ends, and then it must end with 0.",
    example: "(echo \"FLUSH TABLES WITH READ LOCK; SELECT 'READY';\"; cat; echo 'UNLOCK TABLES;') | mysql -N -n",
  },
  postSnapshot: {
    label: "After the snapshot",
    does: "Runs before the backup, also when no snapshot could be taken: STILLFRAME_OUTCOME says taken, failed, cancelled or interrupted.",
    example: "systemctl start reports.timer",
  },
  postRun: {
    label: "At the run’s end",
    does: "Runs however the run ends: STILLFRAME_OUTCOME says succeeded, warnings, failed, cancelled or interrupted.",
    example: 'logger "backup of $STILLFRAME_JOB: $STILLFRAME_OUTCOME"',
  },
};
const beforeInstant = (at: HookMoment) => at === "preFreeze" || at === "freezeHold";

export function HookFields({ hook, label, errors, onChange, onRemove }: HookFieldsProps) {
  const said = (field: keyof Hook) =>
    errors && field in errors ? firstMessage((errors as Record<string, unknown>)[field]) : null;
  const { at, command } = hook;
  const isLine = typeof command === "string";
  return (
    <fieldset className="space-y-3 rounded-[10px] border border-line px-3.5 pt-2.5 pb-3.5">
      <legend className="sr-only">{label}</legend>
      <div className="grid grid-cols-[1fr_auto] items-start gap-3 sm:grid-cols-[auto_1fr_auto]">
        <Field label="When">
          <Select
            value={at}
            onChange={(next) => onChange({ ...hook, at: next })}
            options={(Object.keys(moments) as HookMoment[]).map((value) => ({ value, label: moments[value].label }))}
          />
        </Field>
        <Field label="Name" error={said("name")} className="max-sm:order-last max-sm:col-span-2">
          <Input
            value={hook.name}
            placeholder={label}
            maxLength={60}
            autoComplete="off"
            onChange={(event) => onChange({ ...hook, name: event.target.value })}
          />
        </Field>
        <May permission="changeJobs">
          <Button kind="quiet" size="icon" className="mt-7" onClick={onRemove} aria-label={`Remove ${label}`}>
            <Trash2 aria-hidden />
          </Button>
        </May>
      </div>
      <Field
        label={isLine ? "Command" : "Program and arguments, one a line"}
        error={said("command")}
        hint={moments[at].does}
      >
        <TextArea
          rows={Math.min(8, Math.max(2, isLine ? command.split("\n").length : command.length))}
          spellCheck={false}
          className="field-sizing-content wrap-anywhere max-h-60 min-h-14 font-mono text-[0.8125rem]"
          placeholder={isLine ? moments[at].example : "/usr/bin/psql\n-c\nCHECKPOINT"}
          value={isLine ? command : command.join("\n")}
          onChange={({ target }) => onChange({ ...hook, command: isLine ? target.value : target.value.split("\n") })}
        />
      </Field>
      <div className="flex flex-wrap items-start gap-x-6 gap-y-3">
        <Field label="Read as" group>
          <Segmented
            value={isLine ? "line" : "program"}
            onChange={(kind) => onChange({ ...hook, command: kind === "line" ? asText(command) : asParts(command) })}
            options={[
              { value: "line", label: "shell command" },
              { value: "program", label: "program" },
            ]}
          />
        </Field>
        <Field label={at === "freezeHold" ? "Ready within" : "May take"} error={said("timeoutMs")}>
          <SecondsInput value={hook.timeoutMs} onChange={(timeoutMs) => onChange({ ...hook, timeoutMs })} />
        </Field>
        {beforeInstant(at) && (
          <Field label="If it fails" group>
            <Segmented
              value={hook.onFailure}
              onChange={(onFailure) => onChange({ ...hook, onFailure })}
              options={[
                { value: "fail", label: "no snapshot" },
                { value: "warn", label: "warn" },
              ]}
            />
          </Field>
        )}
      </div>
      <May permission="changeJobs">
        <HookTrial hook={hook} />
      </May>
    </fieldset>
  );
}

const asText = (command: Hook["command"]) => (typeof command === "string" ? command : command.join(" "));
const asParts = (command: Hook["command"]) => (typeof command === "string" ? command.split("\n") : command);
