import { SearchX } from "lucide-react";
import { Button } from "../button";
import { EmptyState } from "../empty-state";

/** There are entries, but none for this search; `all` is how many. */
export function NoneMatches({ all, of, onClear }: { all: number; of: string; onClear: () => void }) {
  return (
    <EmptyState icon={SearchX} title="Nothing matches" action={<Button onClick={onClear}>Show all {of}</Button>}>
      None of the {all} {of} fits the search and its filters.
    </EmptyState>
  );
}
