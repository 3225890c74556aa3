"use client";
import { usePathname, useSearchParams } from "next/navigation";
import type { z } from "zod";
import { isNarrowed, listAddress, readListQuery } from "@/server/core/lists/list-query";

/**
 * What of a list is wanted, kept in the page's address: it can be sent to somebody, and the browser's back button
 * undoes a change. A change begins at the first page again.
 */
export function useListQuery<S extends z.ZodObject>(schema: S) {
  const path = usePathname();
  const query = readListQuery(schema, Object.fromEntries(useSearchParams()));
  const change = (part: Partial<z.output<S>>) => {
    const address = path + listAddress(schema, { ...query, page: 1, ...part });
    if (address !== window.location.pathname + window.location.search) window.history.pushState(null, "", address);
  };
  return {
    query,
    change,
    narrowed: isNarrowed(schema, query),
    clear: () => window.history.pushState(null, "", path),
  };
}
