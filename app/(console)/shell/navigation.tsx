"use client";
import { useQuery } from "@tanstack/react-query";
import Link, { useLinkStatus } from "next/link";
import { usePathname } from "next/navigation";
import { cn } from "@/app/components/class-names";
import { plural } from "@/app/components/format";
import { useTRPC } from "@/app/trpc/client";
import { isAt, places } from "./places";

export function Navigation({ onNavigate }: { onNavigate?: () => void }) {
  const path = usePathname();
  const trpc = useTRPC();
  const attention = useQuery(trpc.failures.attention.queryOptions(undefined, { refetchInterval: 10_000 }));
  const open = attention.data?.groups ?? 0;
  return (
    <nav aria-label="Places" className="flex flex-col gap-0.5">
      {places.map((place) => {
        const here = isAt(place, path);
        return (
          <Link
            key={place.href}
            href={place.href}
            onClick={onNavigate}
            aria-current={here ? "page" : undefined}
            className={cn(
              "flex items-center gap-2.5 rounded-lg px-2.5 py-1.75 hover:text-ink",
              here ? "bg-soft font-medium text-ink" : "text-mute",
            )}
          >
            <place.icon className="size-4 shrink-0" aria-hidden />
            <span className="grow">{place.name}</span>
            <OnTheWay />
            {place.href === "/troubleshoot" && open > 0 && (
              <span className="font-medium text-loss-ink text-xs">
                <span aria-hidden>{open}</span>
                <span className="sr-only">, {plural(open, "open failure")}</span>
              </span>
            )}
          </Link>
        );
      })}
    </nav>
  );
}

/** A page that lets one wait is on its way: the place that was pressed says so. It appears only after a moment. */
function OnTheWay() {
  const { pending } = useLinkStatus();
  return (
    <span
      aria-hidden
      className={cn(
        "size-1.75 rounded-full bg-accent opacity-0",
        pending && "animate-breathe opacity-100 transition-opacity delay-200",
      )}
    />
  );
}
