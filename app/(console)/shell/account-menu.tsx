"use client";
import { LogOut, Monitor, Moon, Sun } from "lucide-react";
import Link from "next/link";
import { useTheme } from "next-themes";
import { useState } from "react";
import { toast } from "sonner";
import { authRequest } from "@/app/auth-request";
import { Button } from "@/app/components/button";
import { useNow } from "@/app/components/zone";
import { roleTexts } from "@/server/core/access/permissions";
import type { SignedIn } from "@/server/core/contracts/accounts";

const themes = [
  { value: "system", label: "Theme of the system", icon: Monitor },
  { value: "light", label: "Light theme", icon: Sun },
  { value: "dark", label: "Dark theme", icon: Moon },
] as const;

export function AccountMenu({ user }: { user: SignedIn }) {
  const { theme, setTheme } = useTheme();
  // The server cannot know the stored theme: the buttons take their state in the browser.
  const inBrowser = useNow(3_600_000) !== null;
  const [leaving, setLeaving] = useState(false);
  async function signOut() {
    setLeaving(true);
    const left = await authRequest<{ url: string | null }>("single-sign-on/leave", {});
    if (left.ok) return location.assign(left.data.url ?? "/sign-in");
    setLeaving(false);
    toast.error("The console does not answer; you are still signed in.");
  }
  return (
    <div className="mt-auto border-line border-t pt-3">
      <fieldset className="mb-2 flex gap-1 px-1">
        <legend className="sr-only">Theme</legend>
        {themes.map(({ value, label, icon: Icon }) => (
          <Button
            key={value}
            kind="quiet"
            size="smallIcon"
            aria-label={label}
            aria-pressed={inBrowser && theme === value}
            onClick={() => setTheme(value)}
            className="aria-pressed:bg-soft aria-pressed:text-ink"
          >
            <Icon aria-hidden />
          </Button>
        ))}
      </fieldset>
      <div className="flex items-center gap-2 px-2">
        <Link
          href="/settings/account"
          className="min-w-0 grow rounded-md hover:underline"
          title={`Your account: ${user.email}`}
        >
          <span className="block truncate text-[0.8125rem]">
            <span className="font-medium">{user.name}</span>
            <span className="text-mute text-xs"> · {roleTexts[user.role].label}</span>
          </span>
          <span className="block truncate text-mute text-xs">{user.email}</span>
        </Link>
        <Button kind="quiet" size="smallIcon" aria-label="Sign out" busy={leaving} onClick={signOut}>
          {!leaving && <LogOut aria-hidden />}
        </Button>
      </div>
    </div>
  );
}
