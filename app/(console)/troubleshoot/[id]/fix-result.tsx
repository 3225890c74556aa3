import Link from "next/link";
import { Button } from "@/app/components/button";
import { Note } from "@/app/components/note";
import type { ActionResult } from "@/server/core/contracts/views";
import type { ActionId } from "@/server/core/errors/actions";
import { Checks, repairWords, testWords } from "../../hosts/checklist";
import { LogLines } from "./evidence/log-lines";

type FixResultProps = { action: ActionId; result: ActionResult | undefined; error: string | undefined };

/** What became of a press, beside the button: the sentence, the run that it started, each part that was looked at. */
export function FixResult({ action, result, error }: FixResultProps) {
  if (error !== undefined) {
    return (
      <Note tone="loss" title="Not done" className="mt-3">
        {error}
      </Note>
    );
  }
  if (!result) return null;
  return (
    <>
      <Note
        tone={result.ok ? "good" : "loss"}
        title={result.ok ? "Done" : "Not all is well"}
        className="mt-3"
        action={
          result.runId && (
            <Button asChild size="small" kind="primary">
              <Link href={`/runs/${result.runId}`}>Watch the run</Link>
            </Button>
          )
        }
      >
        {result.message}
      </Note>
      <LogLines lines={result.lines} label="What it said" />
      {result.checks.length > 0 && (
        <Checks checks={result.checks} words={action === "repair" ? repairWords : testWords} />
      )}
    </>
  );
}
