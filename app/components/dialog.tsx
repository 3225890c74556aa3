"use client";
import { X } from "lucide-react";
import { Dialog as Radix } from "radix-ui";
import type { ReactNode } from "react";
import { Button } from "./button";
import { useFocusReturn } from "./focus-return";

type DialogProps = {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  description?: ReactNode;
  children: ReactNode;
};

export function Dialog({ open, onOpenChange, title, description, children }: DialogProps) {
  const focusReturn = useFocusReturn();
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 bg-black/45 dark:bg-black/60" />
        <Radix.Content
          className="fixed inset-x-3 top-[6vh] z-50 mx-auto max-h-[88vh] max-w-lg animate-appear overflow-y-auto rounded-xl border border-line bg-panel p-5 shadow-pop"
          {...focusReturn}
          {...(description ? {} : { "aria-describedby": undefined })}
        >
          <div className="mb-4 flex items-start justify-between gap-4">
            <div>
              <Radix.Title className="font-semibold text-base tracking-tight">{title}</Radix.Title>
              {description && <Radix.Description className="mt-1 text-mute">{description}</Radix.Description>}
            </div>
            <Radix.Close asChild>
              <Button kind="quiet" size="smallIcon" aria-label="Close" className="-mt-1 -mr-1.5">
                <X aria-hidden />
              </Button>
            </Radix.Close>
          </div>
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

export function DialogActions({ children }: { children: ReactNode }) {
  return <div className="mt-5 flex flex-wrap justify-end gap-2">{children}</div>;
}
