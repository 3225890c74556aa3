"use client";
import { Button } from "./components/button";
import { Card } from "./components/card";

/** The console itself did not answer while a page was made. */
export default function RootError({ reset }: { error: Error; reset: () => void }) {
  return (
    <main className="mx-auto max-w-lg px-4 py-20">
      <Card className="p-5">
        <h1 className="mb-2 font-semibold text-lg tracking-tight">The console does not answer</h1>
        <p className="mb-4 text-mute">It may be starting. Runs go on without it.</p>
        <Button onClick={reset}>Try again</Button>
      </Card>
    </main>
  );
}
