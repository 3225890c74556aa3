import type { LucideIcon } from "lucide-react";
import type { ReactNode } from "react";

type EmptyStateProps = {
  icon: LucideIcon;
  title: string;
  /** What the place is for. */
  children: ReactNode;
  action?: ReactNode;
};

export function EmptyState({ icon: Icon, title, children, action }: EmptyStateProps) {
  return (
    <div className="flex flex-col items-center rounded-xl border border-line border-dashed px-5 py-12 text-center">
      <span className="mb-4 grid size-11 place-items-center rounded-xl border border-line bg-panel">
        <Icon className="size-5 text-mute" aria-hidden />
      </span>
      <h2 className="font-semibold text-base tracking-tight">{title}</h2>
      <div className="mt-1.5 max-w-md text-mute">{children}</div>
      {action && <div className="mt-5 flex flex-wrap justify-center gap-2">{action}</div>}
    </div>
  );
}
