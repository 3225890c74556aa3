"use client";
import { Button } from "@/app/components/button";
import { Note } from "@/app/components/note";
import { PageHeader } from "@/app/components/page-header";

/** A page that could not be drawn; the navigation stays. */
export default function PageError({ error, reset }: { error: Error & { digest?: string }; reset: () => void }) {
  return (
    <>
      <PageHeader title="This page could not be shown" />
      <Note
        tone="loss"
        title="Something in it went wrong"
        action={
          <Button size="small" onClick={reset}>
            Try again
          </Button>
        }
      >
        The console’s log has the details{error.digest ? ` under ${error.digest}` : ""}. Runs and hosts are not
        affected.
      </Note>
    </>
  );
}
