/**
 * Who may import whom. Each rule carries its reason, which is what a person reads when it is broken.
 *
 * Imports are found in the text of the files: TypeScript 7 has no compiler interface that a checker could
 * use, and tools that rely on one report success on no modules at all. So `readModules` refuses to find
 * nothing, and the test of these rules shows them a sample that breaks each.
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";

export interface Import {
  /** Path from the repository's root, or the name of a package. */
  target: string;
  typeOnly: boolean;
}

export interface Module {
  path: string;
  imports: Import[];
}

interface Rule {
  name: string;
  reason: string;
  breaks(from: string, to: Import): boolean;
}

const within = (path: string, room: string) => path === room || path.startsWith(`${room}/`);
const ioModules = /^(node:)?(fs|net|child_process|http|https|os|worker_threads|dgram|tls|readline|fs\/promises)$/;

export const rules: readonly Rule[] = [
  {
    name: "core imports only core",
    reason: "every other room imports core, so anything it pulled in would be everywhere",
    breaks: (from, to) =>
      within(from, "server/core") && within(to.target, "server") && !within(to.target, "server/core"),
  },
  {
    name: "core does no input or output",
    reason: "its decisions are tested without a disk, and run in the browser too",
    breaks: (from, to) => within(from, "server/core") && !to.typeOnly && ioModules.test(to.target),
  },
  {
    name: "the server does not import pages",
    reason: "console, worker and command line run without a browser",
    breaks: (from, to) => within(from, "server") && within(to.target, "app"),
  },
  {
    name: "console and worker never import each other",
    reason: "they run on different machines and versions; what they share is a contract in core",
    breaks: (from, to) =>
      (within(from, "server/console") && within(to.target, "server/worker")) ||
      (within(from, "server/worker") && within(to.target, "server/console")),
  },
  {
    name: "console and worker do not import the command line",
    reason: "the command line starts them, as programs",
    breaks: (from, to) =>
      (within(from, "server/console") || within(from, "server/worker")) && within(to.target, "server/cli"),
  },
  {
    name: "the command line imports only core",
    reason: "it talks to the worker's socket, so what it can do any program can do",
    breaks: (from, to) =>
      within(from, "server/cli") && (within(to.target, "server/console") || within(to.target, "server/worker")),
  },
  {
    name: "pages import only the type of the console's router",
    reason: "a value of the console in a page would put the database into the browser's bundle",
    breaks: (from, to) =>
      within(from, "app") &&
      (within(to.target, "server/console") || within(to.target, "server/worker") || within(to.target, "server/cli")) &&
      !(to.typeOnly && to.target === "server/console/routers/app-router"),
  },
  {
    name: "components know no router and no API",
    reason: "they show what they are given, live or recorded",
    breaks: (from, to) =>
      within(from, "app/components") && (to.target.startsWith("@trpc/") || within(to.target, "server/console")),
  },
  {
    name: "only console/data imports the database client",
    reason: "one room to look in for what is stored and how",
    breaks: (from, to) =>
      !within(from, "server/console/data") &&
      (to.target.startsWith("@prisma/") ||
        to.target === "better-sqlite3" ||
        within(to.target, "server/console/data/generated")) &&
      within(from, "server"),
  },
];

/** All breaches, as lines for a person. */
export function breaches(modules: readonly Module[]): string[] {
  return modules.flatMap((module) =>
    module.imports.flatMap((to) =>
      rules
        .filter((rule) => rule.breaks(module.path, to))
        .map((rule) => `${module.path} imports ${to.target}: ${rule.name}, because ${rule.reason}`),
    ),
  );
}

/** Every module below the rooms, with its imports resolved to paths from the root. Throws where it sees none. */
export function readModules(root: string, rooms: readonly string[]): Module[] {
  const files = rooms.flatMap((room) => {
    const found = sourceFiles(join(root, room));
    if (found.length === 0) throw new Error(`no modules below ${room}: the check is blind`);
    return found;
  });
  return files.map((file) => {
    const path = relative(root, file);
    return { path, imports: importsOf(readFileSync(file, "utf8")).map((found) => resolved(root, path, found)) };
  });
}

function sourceFiles(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory).flatMap((name) => {
    if (name === "generated" || name === "node_modules") return [];
    const path = join(directory, name);
    if (statSync(path).isDirectory()) return sourceFiles(path);
    return /\.(ts|tsx|mjs)$/.test(name) ? [path] : [];
  });
}

/** `import … from`, `export … from`, `import "…"` and `import("…")`. */
export function importsOf(source: string): Import[] {
  const statements = /^\s*(?:import|export)\s+(type\s+)?(?:[^"';]*?\sfrom\s+)?["']([^"']+)["']/gm;
  const calls = /\bimport\(\s*["']([^"']+)["']\s*\)/g;
  return [
    ...[...source.matchAll(statements)].map(([, type, target = ""]) => ({ target, typeOnly: type !== undefined })),
    ...[...source.matchAll(calls)].map(([, target = ""]) => ({ target, typeOnly: false })),
  ];
}

function resolved(root: string, from: string, found: Import): Import {
  const inside = found.target.startsWith("@/")
    ? found.target.slice(2)
    : found.target.startsWith(".")
      ? normalize(join(dirname(from), found.target))
      : null;
  if (inside === null) return found;
  const target = inside.replace(/\.(tsx?|mjs|js)$/, "");
  const known = ["", ".ts", ".tsx", ".mjs", ".json", ".css", "/index.ts"].some((end) =>
    existsSync(join(root, inside + end)),
  );
  return { ...found, target: known ? target : inside };
}
