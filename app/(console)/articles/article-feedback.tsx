"use client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Button } from "@/app/components/button";
import { Field } from "@/app/components/field";
import { TextArea } from "@/app/components/input";
import { Note } from "@/app/components/note";
import { useTRPC } from "@/app/trpc/client";
import { faultOf } from "@/app/trpc/fault";
import type { ErrorCode } from "@/server/core/errors/codes";

/** "Did this article answer your question?", with a free-text field. */
export function ArticleFeedback({ code }: { code: ErrorCode }) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [helpful, setHelpful] = useState<boolean | null>(null);
  const [text, setText] = useState("");
  const send = useMutation(
    trpc.articles.feedback.mutationOptions({
      onSuccess: () => queryClient.invalidateQueries({ queryKey: trpc.articles.pathKey() }),
    }),
  );
  if (send.isSuccess) return <p className="mt-3 text-mute">Thank you: kept, and shown to administrators.</p>;
  return (
    <form
      className="mt-3"
      onSubmit={(event) => {
        event.preventDefault();
        if (helpful !== null) send.mutate({ code, helpful, text });
      }}
    >
      <div className="flex flex-wrap items-center gap-2">
        <span className="text-mute">Did this article answer your question?</span>
        <span className="flex gap-2">
          <Button
            size="small"
            aria-pressed={helpful === true}
            onClick={() => setHelpful(true)}
            className="aria-pressed:border-accent"
          >
            Yes
          </Button>
          <Button
            size="small"
            aria-pressed={helpful === false}
            onClick={() => setHelpful(false)}
            className="aria-pressed:border-accent"
          >
            No
          </Button>
        </span>
      </div>
      {helpful !== null && (
        <div className="mt-3 space-y-3">
          <Field label={helpful ? "Anything to add? (optional)" : "What was missing?"}>
            <TextArea rows={3} maxLength={4000} value={text} onChange={(event) => setText(event.target.value)} />
          </Field>
          {send.error && <Note tone="loss">{faultOf(send.error).message}</Note>}
          <Button type="submit" kind="primary" size="small" busy={send.isPending}>
            Send
          </Button>
        </div>
      )}
    </form>
  );
}
