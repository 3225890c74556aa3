"use client";
import { type ReactNode, useState } from "react";
import { Button } from "./button";
import { Dialog, DialogActions } from "./dialog";
import { Field } from "./field";
import { Input } from "./input";
import { Note } from "./note";

type ConfirmDialogProps = {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  /** What will be lost, or that nothing is. */
  description: ReactNode;
  confirm: string;
  cancel?: string;
  /** Asks for this text before the button works. */
  typeName?: string;
  danger?: boolean;
  busy?: boolean;
  error?: string | null;
  onConfirm: () => void;
};

export function ConfirmDialog(props: ConfirmDialogProps) {
  return (
    <Dialog open={props.open} onOpenChange={props.onOpenChange} title={props.title} description={props.description}>
      <ConfirmForm key={String(props.open)} {...props} />
    </Dialog>
  );
}

function ConfirmForm({ typeName, confirm, cancel, danger, busy, error, onConfirm, onOpenChange }: ConfirmDialogProps) {
  const [typed, setTyped] = useState("");
  const ready = typeName === undefined || typed.trim() === typeName;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (ready && !busy) onConfirm();
      }}
    >
      {typeName !== undefined && (
        <Field label={`Type “${typeName}” to confirm`}>
          <Input
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
            autoComplete="off"
            spellCheck={false}
          />
        </Field>
      )}
      {error && (
        <Note tone="loss" className="mt-3">
          {error}
        </Note>
      )}
      <DialogActions>
        <Button onClick={() => onOpenChange(false)}>{cancel ?? "Keep"}</Button>
        <Button type="submit" kind={danger ? "danger" : "primary"} disabled={!ready} busy={busy}>
          {confirm}
        </Button>
      </DialogActions>
    </form>
  );
}
