"use client";
import { Button } from "@/app/components/button";
import { copyText } from "@/app/components/copy-text";
import { DialogActions } from "@/app/components/dialog";
import { Note } from "@/app/components/note";

/** Shown once, to be kept. */
export function BackupCodes({ codes, onDone }: { codes: readonly string[]; onDone: () => void }) {
  const file = `data:text/plain;charset=utf-8,${encodeURIComponent(`Stillframe backup codes\n\n${codes.join("\n")}\n`)}`;
  return (
    <>
      <Note tone="good" title="Keep these backup codes">
        Each lets you in once when you do not have your app. They are not shown again.
      </Note>
      <ul
        aria-label="Backup codes"
        className="mt-4 grid select-all grid-cols-1 gap-x-6 gap-y-1.5 rounded-lg bg-soft px-3.5 py-3 font-mono text-[0.8125rem] min-[26rem]:grid-cols-2"
      >
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ul>
      <DialogActions>
        <Button onClick={() => copyText(codes.join("\n"), "codes", "them")}>Copy</Button>
        <Button asChild>
          <a href={file} download="stillframe-backup-codes.txt">
            Download
          </a>
        </Button>
        <Button kind="primary" onClick={onDone}>
          I have kept them
        </Button>
      </DialogActions>
    </>
  );
}
