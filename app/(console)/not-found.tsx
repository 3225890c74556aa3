import { SearchX } from "lucide-react";
import Link from "next/link";
import { Button } from "@/app/components/button";
import { EmptyState } from "@/app/components/empty-state";

export default function NotFoundPage() {
  return (
    <>
      <h1 className="sr-only">Not found</h1>
      <EmptyState
        icon={SearchX}
        title="There is nothing here"
        action={
          <Button asChild>
            <Link href="/">To the overview</Link>
          </Button>
        }
      >
        It may have been deleted, or the address is not quite right.
      </EmptyState>
    </>
  );
}
