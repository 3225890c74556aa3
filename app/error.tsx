"use client";
import { Button } from "./components/button";
import { Note } from "./components/note";

/** The console itself did not answer while a page was made. */
export default function RootError({ reset }: { error: Error; reset: () => void }) {
  return (
    <main className="mx-auto max-w-lg px-4 py-20">
      <Note
        tone="loss"
        title="The console does not answer"
        action={
          <Button size="small" onClick={reset}>
            Try again
          </Button>
        }
      >
        It may be starting. Runs go on without it.
      </Note>
    </main>
  );
}
