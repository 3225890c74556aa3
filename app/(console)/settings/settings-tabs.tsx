"use client";
import Link from "next/link";
import { usePathname } from "next/navigation";
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
  return (
    <nav aria-label="Settings" className="mb-5 flex gap-1 overflow-x-auto border-line border-b">
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
