"use client";
import { Button } from "@/app/components/button";
import { copyText } from "@/app/components/copy-text";
import { DialogActions } from "@/app/components/dialog";
import { Field } from "@/app/components/field";
import { Input } from "@/app/components/input";
import { Note } from "@/app/components/note";
import { Time } from "@/app/components/time";
import type { NewLink } from "@/server/core/contracts/accounts";

type NewLinkNoteProps = { made: NewLink; email: string; onDone: () => void };

/** A one-time link, to be copied and passed on now. */
export function NewLinkNote({ made: { link, expiresAt }, email, onDone }: NewLinkNoteProps) {
  return (
    <>
      <Note tone="good" title={`Pass this link on to ${email}`}>
        It works once, until <Time at={expiresAt} />, and is not shown again.
      </Note>
      <Field label="Link" className="mt-4">
        <Input readOnly value={link} className="font-mono text-xs" onFocus={(event) => event.target.select()} />
      </Field>
      <DialogActions>
        <Button onClick={() => copyText(link, "link")}>Copy</Button>
        <Button kind="primary" onClick={onDone}>
          Done
        </Button>
      </DialogActions>
    </>
  );
}
