import { Fragment } from "react";
import { cn } from "./class-names";

/** A path in its own type, broken after a slash where it must be. */
export function Path({ path, className }: { path: string; className?: string }) {
  return (
    <span className={cn("min-w-0 font-mono text-xs [overflow-wrap:anywhere]", className)}>
      {path.split(/(?<=\/)/).map((part, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a path have no other name
        <Fragment key={i}>
          {i > 0 && part !== "/" && <wbr />}
          {part}
        </Fragment>
      ))}
    </span>
  );
}
