"use client";
import { BytesInput } from "@/app/components/bytes-input";
import { Field } from "@/app/components/field";
import { Input } from "@/app/components/input";
import { Segmented } from "@/app/components/segmented";
import { Switch } from "@/app/components/switch";

export type PracticeDraft = { name: string; sizeBytes: number | null; fs: "ext4" | "xfs"; writer: boolean };

const MIB = 1024 * 1024;
export const practiceDefaults: PracticeDraft = { name: "", sizeBytes: 512 * MIB, fs: "ext4", writer: true };

type PracticeFieldsProps = {
  draft: PracticeDraft;
  onChange: (draft: PracticeDraft) => void;
  /** Field that the console refused, with its reason. */
  fault: { field: string | null; message: string } | null;
};

/** Name, size, file system and writer of one practice volume. */
export function PracticeFields({ draft, onChange, fault }: PracticeFieldsProps) {
  const errorOf = (field: string) => (fault?.field === field ? fault.message : null);
  return (
    <div className="grid gap-x-4 gap-y-3.5 xs:grid-cols-2">
      <Field label="Name" error={errorOf("name")}>
        <Input
          value={draft.name}
          onChange={(event) => onChange({ ...draft, name: event.target.value })}
          autoComplete="off"
          spellCheck={false}
          required
        />
      </Field>
      <Field label="Size" error={errorOf("sizeBytes")}>
        <BytesInput value={draft.sizeBytes} onChange={(sizeBytes) => onChange({ ...draft, sizeBytes })} />
      </Field>
      <Field label="File system" group error={errorOf("fs")}>
        <Segmented
          value={draft.fs}
          onChange={(fs) => onChange({ ...draft, fs })}
          options={[
            { value: "ext4", label: "ext4" },
            { value: "xfs", label: "xfs" },
          ]}
        />
      </Field>
      <Field label="Writer" hint="Writes like a small database and a log.">
        <Switch checked={draft.writer} onChange={(writer) => onChange({ ...draft, writer })} />
      </Field>
    </div>
  );
}
