const entries = [
  { name: "writes", mark: <span className="size-2.5 rounded-xs bg-write" /> },
  { name: "quiet window", mark: <span className="size-2.5 rounded-xs border border-accent bg-quiet" /> },
  { name: "frozen at", mark: <span className="h-3 w-0.5 bg-frozen" /> },
  { name: "cache used", mark: <span className="size-2.5 rounded-xs bg-cache/50" /> },
  { name: "cache limit", mark: <span className="w-4 border-loss border-t-2 border-dashed" /> },
];

export function LanesLegend() {
  return (
    <ul className="flex flex-wrap gap-x-4.5 gap-y-1 text-mute text-xs">
      {entries.map((entry) => (
        <li key={entry.name} className="flex items-center gap-1.75">
          {entry.mark}
          {entry.name}
        </li>
      ))}
    </ul>
  );
}
