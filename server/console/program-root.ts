import { existsSync } from "node:fs";
import path from "node:path";

/** The directory that holds `prisma/` and `.next/`, seen from the sources and from the bundle in `dist/` alike. */
export function programRoot(from: string = import.meta.dirname): string {
  for (let at = from; ; at = path.dirname(at)) {
    if (existsSync(path.join(at, "prisma", "migrations"))) return at;
    if (at === path.dirname(at)) throw new Error(`no prisma/migrations above ${from}: the installation is incomplete`);
  }
}
