import type { ReactNode } from "react";

/** Names and values, one a row. */
export function Facts({ facts }: { facts: readonly (readonly [string, ReactNode])[] }) {
  return (
    <dl className="text-[0.8125rem]">
      {facts.map(([name, value]) => (
        <div
          key={name}
          className="flex flex-wrap justify-between gap-x-4 border-line border-t py-1.5 first:border-0 first:pt-0"
        >
          <dt className="text-mute">{name}</dt>
          <dd className="wrap-anywhere min-w-0 font-mono text-[0.78rem]">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
