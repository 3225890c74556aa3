import type { ReactNode } from "react";

type PageHeaderProps = {
  title: ReactNode;
  /** Where one is, above the title. */
  trail?: ReactNode;
  subtitle?: ReactNode;
  actions?: ReactNode;
};

export function PageHeader({ title, trail, subtitle, actions }: PageHeaderProps) {
  return (
    <header className="mb-5">
      {trail && (
        <nav aria-label="Breadcrumb" className="mb-1.5 text-[0.8125rem] text-mute [&_a:hover]:text-ink">
          {trail}
        </nav>
      )}
      <div className="flex flex-wrap items-end justify-between gap-x-6 gap-y-3">
        <div className="min-w-0">
          <h1 className="wrap-anywhere font-semibold text-2xl leading-tight tracking-tight">{title}</h1>
          {subtitle && <div className="mt-1 text-mute">{subtitle}</div>}
        </div>
        {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
      </div>
    </header>
  );
}
