import { describe, expect, test } from "vitest";
import { breaches, importsOf, readModules, rules } from "./import-rules";

const root = new URL("../..", import.meta.url).pathname;
const rooms = ["app", "server/core", "server/console", "server/worker", "server/cli"];

describe("the rooms of the repository", () => {
  test("are seen by this check", () => {
    const modules = readModules(root, rooms);
    expect(modules.length).toBeGreaterThan(50);
    expect(modules.flatMap((module) => module.imports).length).toBeGreaterThan(modules.length);
    const table = modules.find((module) => module.path === "server/core/errors/table.ts");
    expect(table?.imports).toContainEqual({ target: "server/core/errors/entries/a000851c", typeOnly: false });
  });

  test("a room that is missing is an error, not silence", () => {
    expect(() => readModules(root, ["server/nowhere"])).toThrow("blind");
  });

  test("import only what they may", () => expect(breaches(readModules(root, rooms))).toEqual([]));
});

describe("each rule recognises its breach", () => {
  const breaking: Record<string, [from: string, target: string, typeOnly?: boolean]> = {
    "core imports only core": ["server/core/planning/forecast.ts", "server/worker/main"],
    "core does no input or output": ["server/core/planning/forecast.ts", "node:fs"],
    "the server does not import pages": ["server/cli/main.ts", "app/page"],
    "console and worker never import each other": ["server/worker/main.ts", "server/console/main", true],
    "console and worker do not import the command line": ["server/console/main.ts", "server/cli/main"],
    "the command line imports only core": ["server/cli/main.ts", "server/worker/main"],
    "pages import only the type of the console's router": ["app/page.tsx", "server/console/routers/app-router", false],
    "components know no router and no API": ["app/components/lane.tsx", "@trpc/client"],
    "only console/data imports the database client": ["server/console/main.ts", "@prisma/client"],
  };

  test.each(rules.map((rule) => rule.name))("%s", (name) => {
    const [path, target, typeOnly = false] = breaking[name] ?? ["", ""];
    const found = breaches([{ path, imports: [{ target, typeOnly }] }]);
    expect(found.some((line) => line.includes(name))).toBe(true);
  });

  test("and lets the router's type through", () => {
    const imports = [{ target: "server/console/routers/app-router", typeOnly: true }];
    expect(breaches([{ path: "app/page.tsx", imports }])).toEqual([]);
  });
});

test("imports are found however they are written", () => {
  const source = `
import { a } from "./a";
import type { B } from "./b";
import "./c.css";
import {
  d,
  e,
} from "@/server/core/d";
export { f } from "./f";
const g = await import("./g");
`;
  expect(importsOf(source)).toEqual([
    { target: "./a", typeOnly: false },
    { target: "./b", typeOnly: true },
    { target: "./c.css", typeOnly: false },
    { target: "@/server/core/d", typeOnly: false },
    { target: "./f", typeOnly: false },
    { target: "./g", typeOnly: false },
  ]);
});
