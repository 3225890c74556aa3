"use client";
import { Button } from "@/app/components/button";
import { copyText } from "@/app/components/copy-text";
import { DialogActions } from "@/app/components/dialog";
import { Field } from "@/app/components/field";
import { Input } from "@/app/components/input";
import { Note } from "@/app/components/note";
import type { NewApiKey } from "@/server/core/contracts/api-keys";

type NewKeyNoteProps = { made: NewApiKey; onDone: () => void };

/** A key, to be copied now. */
export function NewKeyNote({ made: { key, name }, onDone }: NewKeyNoteProps) {
  return (
    <>
      <Note tone="good" title={`The key of “${name}”`}>
        It is shown this once: the console keeps only its hash. Who has it may do what its scopes say.
      </Note>
      <Field label="Key" className="mt-4">
        <Input readOnly value={key} className="font-mono text-xs" onFocus={(event) => event.target.select()} />
      </Field>
      <DialogActions>
        <Button onClick={() => copyText(key, "key")}>Copy</Button>
        <Button kind="primary" onClick={onDone}>
          Done
        </Button>
      </DialogActions>
    </>
  );
}
