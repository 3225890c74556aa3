"use client";
import { ChevronLeft, ChevronRight } from "lucide-react";
import { Button } from "../button";
import { formatCount, plural } from "../format";

type PagerProps = {
  page: { items: readonly unknown[]; page: number; pages: number; first: number; total: number };
  /** What is counted, one of it and several: `["run", "runs"]`. */
  of: readonly [string, string];
  onPage: (page: number) => void;
};

/** Where in a list one is, and the way to the next and the previous page. */
export function Pager({ page: { items, page, pages, first, total }, of, onPage }: PagerProps) {
  const last = first + items.length - 1;
  return (
    <nav aria-label={`Pages of ${of[1]}`} className="mt-3 flex flex-wrap items-center justify-between gap-2">
      <p role="status" className="text-mute text-xs">
        {pages > 1 ? `${formatCount(first)} to ${formatCount(last)} of ` : ""}
        {plural(total, ...of)}
      </p>
      {pages > 1 && (
        <span className="flex gap-1.5">
          <Button size="small" disabled={page <= 1} onClick={() => onPage(page - 1)} aria-label="Previous page">
            <ChevronLeft aria-hidden /> Previous
          </Button>
          <Button size="small" disabled={page >= pages} onClick={() => onPage(page + 1)} aria-label="Next page">
            Next <ChevronRight aria-hidden />
          </Button>
        </span>
      )}
    </nav>
  );
}
