/** Lines of another program, as it wrote them. */
export function LogLines({ lines, label }: { lines: readonly string[]; label: string }) {
  if (lines.length === 0) return null;
  return (
    <figure className="mt-3">
      <figcaption className="mb-1 text-mute text-xs">{label}</figcaption>
      <pre
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
        tabIndex={0}
        className="max-h-64 overflow-auto rounded-lg border border-line bg-soft p-3 font-mono text-xs leading-relaxed"
      >
        {lines.join("\n")}
      </pre>
    </figure>
  );
}
