/** The mark: a trace that is cut by one instant. */
export function Mark({ size = 22 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 22 22" aria-hidden="true" focusable="false">
      <path d="M1.5 11h5.5M15 11h5.5" stroke="var(--faint)" strokeWidth="1.6" fill="none" strokeLinecap="round" />
      <path d="M7 11c1-5.4 2.2-5.4 3-1" stroke="var(--write)" strokeWidth="1.6" fill="none" strokeLinecap="round" />
      <rect x="10.6" y="2.5" width="1.9" height="17" rx=".95" fill="var(--frozen)" />
    </svg>
  );
}
