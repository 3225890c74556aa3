"use client";
import { useMutation } from "@tanstack/react-query";
import { Button } from "@/app/components/button";
import { Note } from "@/app/components/note";
import { useTRPC } from "@/app/trpc/client";
import { faultOf } from "@/app/trpc/fault";

/** Asks the provider, as it is stored, what it is. */
export function ProviderCheck() {
  const trpc = useTRPC();
  const check = useMutation(trpc.singleSignOn.check.mutationOptions());
  const answer = check.error ? { ok: false, answer: faultOf(check.error).message } : check.data;
  return (
    <>
      {answer && (
        <Note tone={answer.ok ? "good" : "loss"} className="basis-full">
          {answer.ok ? answer.answer : `The provider could not be asked: ${answer.answer}`}
        </Note>
      )}
      <Button busy={check.isPending} onClick={() => check.mutate()}>
        Ask the saved provider
      </Button>
    </>
  );
}
