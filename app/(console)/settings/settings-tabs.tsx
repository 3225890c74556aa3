"use client";
import Link from "next/link";
import { usePathname } from "next/navigation";
import { useEffect, useRef, useState } from "react";
import { cn } from "@/app/components/class-names";
import type { Permission } from "@/server/core/access/permissions";
import { May } from "../access/may";

const tabs: readonly { href: string; name: string; permission: Permission }[] = [
  { href: "/settings", name: "Defaults", permission: "see" },
  { href: "/settings/notifications", name: "Notifications", permission: "manageNotifications" },
  { href: "/settings/users", name: "Users and roles", permission: "manageUsers" },
  { href: "/settings/single-sign-on", name: "Single sign-on", permission: "manageUsers" },
  { href: "/settings/keys", name: "Other programs", permission: "manageKeys" },
  { href: "/settings/audit", name: "Audit log", permission: "readAudit" },
  { href: "/settings/account", name: "Your account", permission: "see" },
];

export function SettingsTabs() {
  const path = usePathname();
  const strip = useRef<HTMLElement>(null);
  const [beyond, setBeyond] = useState({ before: false, after: false });
  const look = ({ scrollLeft, clientWidth, scrollWidth }: HTMLElement) =>
    setBeyond({ before: scrollLeft > 1, after: scrollLeft + clientWidth < scrollWidth - 1 });
  // Where not all of them have room, the present one is among those that are seen.
  // biome-ignore lint/correctness/useExhaustiveDependencies: another path is another present one
  useEffect(() => {
    const tab = strip.current?.querySelector<HTMLElement>("[aria-current]");
    if (!strip.current || !tab) return;
    const there = strip.current;
    const show = () => {
      there.scrollLeft = tab.offsetLeft - there.offsetLeft - tab.offsetWidth / 2;
      look(there);
    };
    show();
    const observer = new ResizeObserver(show);
    observer.observe(there);
    return () => observer.disconnect();
  }, [path]);
  return (
    <nav
      ref={strip}
      aria-label="Settings"
      onScroll={(event) => look(event.currentTarget)}
      data-before={beyond.before || undefined}
      data-after={beyond.after || undefined}
      className="fades mb-5 flex gap-1 overflow-x-auto border-line border-b"
    >
      {tabs.map(({ href, name, permission }) => (
        <May key={href} permission={permission}>
          <Link
            href={href}
            aria-current={path === href ? "page" : undefined}
            className={cn(
              "-mb-px whitespace-nowrap border-b-2 px-3 py-2",
              path === href ? "border-accent font-medium text-ink" : "border-transparent text-mute hover:text-ink",
            )}
          >
            {name}
          </Link>
        </May>
      ))}
    </nav>
  );
}
