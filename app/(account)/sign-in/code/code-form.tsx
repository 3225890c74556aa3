"use client";
import { type FormEvent, useState } from "react";
import { authRequest } from "@/app/auth-request";
import { Button } from "@/app/components/button";
import { Card } from "@/app/components/card";
import { Field } from "@/app/components/field";
import { Input } from "@/app/components/input";
import { Note } from "@/app/components/note";
import { CODE_DIGITS } from "@/server/core/contracts/accounts";

const kinds = {
  app: {
    label: "Code from your app",
    hint: "Six digits. A new one every 30 seconds.",
    path: "two-factor/verify-totp",
    wrong: "This code is not right. Take the one that the app shows now.",
    other: "Use a backup code instead",
  },
  backup: {
    label: "Backup code",
    hint: "One of those that you kept. Each works once.",
    path: "two-factor/verify-backup-code",
    wrong: "This is not one of your backup codes, or it was used already.",
    other: "Use the app instead",
  },
} as const;

/** The second half of a sign-in; the first left a cookie that says whose it is. */
export function CodeForm({ target }: { target: string }) {
  const [kind, setKind] = useState<keyof typeof kinds>("app");
  const [code, setCode] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const [over, setOver] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const { label, hint, path, wrong, other } = kinds[kind];

  async function submit(event: FormEvent) {
    event.preventDefault();
    const typed = kind === "app" ? code.replace(/\D/g, "") : code.trim();
    if (kind === "app" && typed.length !== CODE_DIGITS) return setProblem(`must have ${CODE_DIGITS} digits`);
    if (typed === "") return setProblem("must not be empty");
    setBusy(true);
    const answer = await authRequest(path, { code: typed });
    if (answer.ok) return location.assign(target);
    setBusy(false);
    if (answer.code === "INVALID_CODE" || answer.code === "INVALID_BACKUP_CODE") setProblem(wrong);
    else if (answer.code === "INVALID_TWO_FACTOR_COOKIE" || answer.code === "TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE") {
      setOver("This sign-in took too long or had too many wrong codes. Begin again with your password.");
    } else setProblem(answer.message);
  }

  return (
    <Card className="p-5">
      <h1 className="mb-4 font-semibold text-lg tracking-tight">One more step</h1>
      <form onSubmit={submit} noValidate className="space-y-4">
        <Field label={label} hint={hint} error={problem}>
          <Input
            key={kind}
            value={code}
            onChange={(event) => setCode(event.target.value)}
            autoFocus
            autoComplete="one-time-code"
            inputMode={kind === "app" ? "numeric" : "text"}
            spellCheck={false}
            className="font-mono tracking-widest"
          />
        </Field>
        {over && <Note tone="loss">{over}</Note>}
        <Button type="submit" kind="primary" busy={busy} className="w-full">
          Sign in
        </Button>
        <div className="flex flex-wrap justify-between gap-2">
          <Button
            kind="quiet"
            size="small"
            onClick={() => {
              setKind(kind === "app" ? "backup" : "app");
              setCode("");
              setProblem(null);
            }}
          >
            {other}
          </Button>
          <Button kind="quiet" size="small" asChild>
            <a href="/sign-in">Begin again</a>
          </Button>
        </div>
      </form>
    </Card>
  );
}
