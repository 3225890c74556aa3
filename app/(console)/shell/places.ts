import {
  BookOpen,
  CalendarClock,
  Database,
  HardDrive,
  LayoutDashboard,
  type LucideIcon,
  Server,
  Settings,
  Wrench,
} from "lucide-react";

/** The places of the console, in the order of the navigation; `also`: other paths that belong to one. */
export const places: readonly { href: string; name: string; icon: LucideIcon; also?: string }[] = [
  { href: "/", name: "Overview", icon: LayoutDashboard },
  { href: "/jobs", name: "Jobs & runs", icon: CalendarClock, also: "/runs" },
  { href: "/volumes", name: "Volumes", icon: HardDrive },
  { href: "/cache", name: "Cache", icon: Database },
  { href: "/troubleshoot", name: "Troubleshoot", icon: Wrench },
  { href: "/articles", name: "Knowledge base", icon: BookOpen },
  { href: "/hosts", name: "Hosts", icon: Server },
  { href: "/settings", name: "Settings", icon: Settings },
];

export function isAt(place: (typeof places)[number], path: string): boolean {
  if (place.href === "/") return path === "/";
  return [place.href, place.also].some((base) => base && (path === base || path.startsWith(`${base}/`)));
}
