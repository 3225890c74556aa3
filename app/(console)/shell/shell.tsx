"use client";
import { Menu, X } from "lucide-react";
import Link from "next/link";
import { Dialog } from "radix-ui";
import { type ReactNode, useState } from "react";
import { Button } from "@/app/components/button";
import { Mark } from "@/app/components/mark";
import type { SignedIn } from "@/server/core/contracts/accounts";
import { AccountMenu } from "./account-menu";
import { CommandPalette } from "./command-palette";
import { Navigation } from "./navigation";

type ShellProps = { user: SignedIn; children: ReactNode };

/** Navigation at the left; on a narrow screen behind a button in a bar on top. */
export function Shell({ user, children }: ShellProps) {
  const [open, setOpen] = useState(false);
  return (
    <div className="min-h-dvh lg:grid lg:grid-cols-[13rem_1fr]">
      <a
        href="#content"
        className="sr-only z-50 rounded-lg bg-panel px-3 py-2 focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
      >
        Skip to the content
      </a>
      <CommandPalette />
      <aside className="sticky top-0 hidden h-dvh flex-col border-line border-r px-3 py-4.5 lg:flex">
        <Brand />
        <Navigation />
        <p className="px-2.5 pt-4 text-faint text-xs">
          <kbd className="rounded border border-line px-1 font-mono">Ctrl K</kbd> finds anything
        </p>
        <AccountMenu user={user} />
      </aside>
      <header className="sticky top-0 z-30 flex h-13 items-center justify-between border-line border-b bg-bg/90 px-3 backdrop-blur lg:hidden">
        <Brand />
        <Dialog.Root open={open} onOpenChange={setOpen}>
          <Dialog.Trigger asChild>
            <Button kind="quiet" size="icon" aria-label="Open the navigation">
              <Menu aria-hidden />
            </Button>
          </Dialog.Trigger>
          <Dialog.Portal>
            <Dialog.Overlay className="fixed inset-0 z-40 bg-black/45" />
            <Dialog.Content
              aria-describedby={undefined}
              className="fixed inset-y-0 right-0 z-50 flex w-72 max-w-[85vw] animate-appear flex-col border-line border-l bg-bg p-3"
            >
              <div className="mb-2 flex items-center justify-between pl-2">
                <Dialog.Title className="font-semibold">Places</Dialog.Title>
                <Dialog.Close asChild>
                  <Button kind="quiet" size="icon" aria-label="Close the navigation">
                    <X aria-hidden />
                  </Button>
                </Dialog.Close>
              </div>
              <Navigation onNavigate={() => setOpen(false)} />
              <AccountMenu user={user} />
            </Dialog.Content>
          </Dialog.Portal>
        </Dialog.Root>
      </header>
      <main id="content" tabIndex={-1} className="min-w-0 px-3.5 py-5 outline-none sm:px-7 lg:pt-5.5 lg:pb-10">
        <div className="mx-auto max-w-[1320px] min-[1800px]:max-w-[1640px]">{children}</div>
      </main>
    </div>
  );
}

function Brand() {
  return (
    <Link
      href="/"
      className="flex items-center gap-2.5 rounded-lg px-2 py-0.5 font-semibold text-[0.9375rem] tracking-tight lg:mb-4"
    >
      <Mark /> Stillframe
    </Link>
  );
}
