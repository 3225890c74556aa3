/** What is installed with the product: only from the registries, to the byte, under licences that are allowed. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { licenceIsAllowed } from "./licences";

const root = new URL("../..", import.meta.url).pathname;
const run = promisify(execFile);

type Package = {
  integrity?: string;
  resolved?: string;
  link?: boolean;
  license?: string;
  hasInstallScript?: boolean;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
};

const locks = [
  { of: "npm", file: "package-lock.json", least: 300 },
  // What the benchmark of the pages installs for itself.
  { of: "Lighthouse", file: "test/pages/lighthouse/package-lock.json", least: 150 },
] as const;
const packagesOf = (file: string): Record<string, Package> =>
  JSON.parse(readFileSync(join(root, file), "utf8")).packages;
/** Builds for one kind of machine, under the licence of the package that they belong to. */
const builds: readonly { names: RegExp; of: string }[] = [
  { names: /^@biomejs\/cli-/, of: "@biomejs/biome" },
  { names: /^@next\/swc-/, of: "next" },
  { names: /^@oxc-parser\/binding-/, of: "oxc-parser" },
  { names: /^@tailwindcss\/oxide-/, of: "@tailwindcss/oxide" },
];
const nameOf = (path: string) => path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);

/** A build for machines that the product is not for: the registry need not have it where the lock was written. */
function isForeignBuild(name: string): boolean {
  const build = builds.find(({ names }) => names.test(name));
  return build !== undefined && !/linux-(x64|arm64)(-gnu)?$/.test(name);
}

describe.each(locks)("packages of $of", ({ file, least }) => {
  const lock = packagesOf(file);
  const installed = Object.entries(lock).filter(([path]) => path !== "");

  test("are seen by this check", () => expect(installed.length).toBeGreaterThan(least));

  test("are named with the digest of their contents, and come from the registry", () => {
    const wrong = installed.filter(
      ([path, { integrity, resolved, link }]) =>
        !(/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? "") || isForeignBuild(nameOf(path))) ||
        link === true ||
        (resolved !== undefined && !resolved.startsWith("https://registry.npmjs.org/")),
    );
    expect(wrong.map(([path]) => path)).toEqual([]);
  });

  test("ask for others by version alone, by no repository and no address", () => {
    const asked = Object.values(lock).flatMap(({ dependencies, optionalDependencies, devDependencies }) =>
      Object.entries({ ...dependencies, ...optionalDependencies, ...devDependencies }),
    );
    expect(asked.length).toBeGreaterThan(least);
    expect(asked.filter(([, version]) => /[:/]/.test(version.replace(/^npm:@?[a-z0-9./-]+@/, "")))).toEqual([]);
  });

  test("run no program of their own when they are installed, but for those that are known", () => {
    const known = ["@prisma/engines", "better-sqlite3", "esbuild", "prisma"];
    const running = installed.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => nameOf(path));
    expect(running.filter((name) => !known.includes(name))).toEqual([]);
  });

  test("have a licence that is allowed", () => {
    const licenceOf = (name: string, { license }: Package) => {
      const whole = builds.find(({ names }) => names.test(name))?.of;
      return license ?? (whole === undefined ? undefined : lock[`node_modules/${whole}`]?.license);
    };
    const wrong = installed
      .map(([path, one]) => ({ name: nameOf(path), licence: licenceOf(nameOf(path), one) ?? "none" }))
      .filter(({ name, licence }) => !licenceIsAllowed(name, licence));
    expect(wrong).toEqual([]);
  });
});

describe("packages of the product", () => {
  test("that it runs have no known hole of a high severity", { timeout: 120_000 }, async (context) => {
    const args = ["audit", "--omit=dev", "--audit-level=high", "--json", "--fetch-retries=0", "--fetch-timeout=30000"];
    const { stdout } = await run("npm", args, { cwd: root, maxBuffer: 1 << 26 }).catch((error) => error);
    const answer = parsed(String(stdout));
    if (answer?.metadata?.vulnerabilities === undefined) {
      console.warn("npm audit: NOT CHECKED, the registry here does not answer questions about known holes");
      return context.skip("npm audit: the registry here does not answer questions about known holes");
    }
    const found = Object.values(answer.vulnerabilities ?? {});
    const words = found.map(({ name, severity, range }) => `${name} ${range}: ${severity}`);
    expect(words.filter((line) => /: (high|critical)$/.test(line))).toEqual([]);
  });
});

describe("crates", () => {
  const cargoLock = readFileSync(join(root, "native/Cargo.lock"), "utf8");
  const crates = cargoLock.split("[[package]]").slice(1);

  test("come from crates.io, named with the digest of their contents", () => {
    const foreign = crates.filter((text) => text.includes("source = "));
    expect(foreign.length).toBeGreaterThan(50);
    const wrong = foreign.filter(
      (text) =>
        !text.includes('source = "registry+https://github.com/rust-lang/crates.io-index"') ||
        !/checksum = "[0-9a-f]{64}"/.test(text),
    );
    expect(wrong).toEqual([]);
  });

  test("have a licence that is allowed", { timeout: 300_000 }, async () => {
    const env = { ...process.env, PATH: `${process.env.PATH}:${join(homedir(), ".cargo/bin")}` };
    const options = { cwd: join(root, "native"), env, maxBuffer: 1 << 26 };
    const host = /^host: (\S+)$/m.exec((await run("cargo", ["-vV"], options)).stdout)?.[1] ?? "";
    // Those for other systems are not there, and would have to be fetched.
    const args = ["metadata", "--locked", "--format-version", "1", "--filter-platform", host];
    const { stdout } = await run("cargo", args, options);
    const { packages } = JSON.parse(stdout) as { packages: { name: string; license: string | null }[] };
    expect(packages.length).toBeGreaterThan(50);
    const wrong = packages.filter(({ name, license }) => !licenceIsAllowed(name, license ?? "none"));
    expect(wrong.map(({ name, license }) => `${name}: ${license}`)).toEqual([]);
  });
});

test("a licence is judged as SPDX reads it", () => {
  const judged = (expression: string) => licenceIsAllowed("anything", expression);
  for (const good of ["MIT", "(GPL-3.0 OR MIT)", "MIT AND ISC", "(MIT OR GPL-3.0) AND ISC", "GPL-3.0 AND MIT OR ISC"]) {
    expect(judged(good), good).toBe(true);
  }
  for (const bad of ["none", "", "GPL-3.0", "MIT AND GPL-3.0", "MIT)", "(MIT", "MIT ISC", "LGPL-3.0-or-later"]) {
    expect(judged(bad), bad).toBe(false);
  }
  expect(licenceIsAllowed("@img/sharp-linux-x64", "Apache-2.0 AND LGPL-3.0-or-later")).toBe(true);
});

type AuditAnswer = {
  metadata?: { vulnerabilities?: object };
  vulnerabilities?: Record<string, { name: string; severity: string; range: string }>;
};

function parsed(text: string): AuditAnswer | null {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
