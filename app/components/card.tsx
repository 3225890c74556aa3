import type { ComponentProps, ReactNode } from "react";
import { cn } from "./class-names";

export function Card({ className, ...rest }: ComponentProps<"section">) {
  return (
    <section className={cn("min-w-0 rounded-xl border border-line bg-panel p-4 sm:px-4.5", className)} {...rest} />
  );
}

/** Title of a card, with what belongs at its right end. */
export function CardTitle({
  children,
  aside,
  id,
  className,
}: {
  children: ReactNode;
  aside?: ReactNode;
  id?: string;
  className?: string;
}) {
  return (
    <div className={cn("mb-3 flex min-h-6 flex-wrap items-center justify-between gap-x-3 gap-y-1", className)}>
      <h2 id={id} className="font-semibold text-[0.8125rem]">
        {children}
      </h2>
      {aside}
    </div>
  );
}
