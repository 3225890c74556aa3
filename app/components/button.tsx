import { cva, type VariantProps } from "class-variance-authority";
import { LoaderCircle } from "lucide-react";
import { Slot } from "radix-ui";
import type { ComponentProps } from "react";
import { cn } from "./class-names";

const look = cva(
  "inline-flex shrink-0 items-center justify-center gap-2 rounded-lg border font-medium whitespace-nowrap transition-colors disabled:cursor-not-allowed disabled:opacity-55 aria-disabled:cursor-not-allowed aria-disabled:opacity-55 [&_svg]:size-4 [&_svg]:shrink-0",
  {
    variants: {
      kind: {
        plain: "border-line bg-panel text-ink hover:bg-soft",
        primary:
          "border-transparent bg-accent font-semibold text-on-accent hover:bg-[color-mix(in_srgb,var(--accent)_86%,var(--ink))]",
        danger:
          "border-transparent bg-loss font-semibold text-on-loss hover:bg-[color-mix(in_srgb,var(--loss)_86%,var(--ink))]",
        quiet: "border-transparent bg-transparent text-mute hover:bg-soft hover:text-ink",
      },
      size: { normal: "h-9 px-3.5", small: "h-7.5 px-2.5 text-[0.8125rem]", icon: "size-9", smallIcon: "size-7.5" },
    },
    defaultVariants: { kind: "plain", size: "normal" },
  },
);

type ButtonProps = ComponentProps<"button"> &
  VariantProps<typeof look> & {
    /** Shows that the action is under way, and refuses a second press. It keeps the focus. */
    busy?: boolean;
    /** Gives the look to the only child (a link) instead of rendering a button. */
    asChild?: boolean;
  };

export function Button({
  kind,
  size,
  busy,
  asChild,
  className,
  children,
  disabled,
  type,
  onClick,
  ...rest
}: ButtonProps) {
  const classes = cn(look({ kind, size }), className);
  if (asChild)
    return (
      <Slot.Root className={classes} onClick={onClick} {...rest}>
        {children}
      </Slot.Root>
    );
  return (
    <button
      type={type ?? "button"}
      className={classes}
      disabled={disabled}
      aria-disabled={busy || undefined}
      aria-busy={busy || undefined}
      {...rest}
      onClick={busy ? (event) => event.preventDefault() : onClick}
    >
      {busy && <LoaderCircle className="animate-spin" aria-hidden />}
      {children}
    </button>
  );
}
