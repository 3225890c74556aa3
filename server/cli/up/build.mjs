/**
 * Brings everything that is made from the sources up to date: dependencies, the engine, the database
 * client, the programs and the pages. Each step keeps a stamp of the contents that it was made from and is
 * skipped while they are the same, so a second start builds nothing.
 */
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Refusal, say, step } from "./bootstrap-steps.mjs";
import { find, requireCargo, requireSpace } from "./requirements.mjs";

export const root = join(dirname(fileURLToPath(import.meta.url)), "../../..");

const at = (/** @type {string} */ path) => join(root, path);
const bin = (/** @type {string} */ name) => at(`node_modules/.bin/${name}`);

/** Programs that are bundled: file in `dist/`, and where it starts. */
const programs = {
  cli: "./server/cli/main.ts",
  console: "./server/console/main.ts",
  worker: "./server/worker/main.ts",
};
const engines = ["stillframe-engine", "stillframe-freeze", "stillframe-watch"];

/** Installs and builds whatever is stale. */
export async function build() {
  const stale = {
    dependencies: dependenciesAreStale(),
    engine: isStale(
      "engine",
      ["native"],
      engines.map((name) => `native/target/release/${name}`),
    ),
  };
  if (stale.dependencies || stale.engine) requireSpace(root, 4);
  if (stale.engine) requireCargo();
  // The one waits for the network, the other for the processor.
  await together(stale.dependencies && installDependencies(), stale.engine && buildEngine());
  await generateClient();
  await together(bundlePrograms(), buildPages());
}

/** Waits for all also when one fails, so that nothing is still building when the failure is told. */
async function together(/** @type {(Promise<void> | false)[]} */ ...work) {
  for (const result of await Promise.allSettled(work)) if (result.status === "rejected") throw result.reason;
}

async function installDependencies() {
  const npm = find("npm");
  if (!npm) throw new Refusal("There is no npm.", "Install the npm that belongs to this Node.");
  // A native module may have to be compiled; Node's headers are then taken from the system where it has them.
  const env = existsSync("/usr/include/node/node.h") ? { npm_config_nodedir: "/usr" } : {};
  await step(root, "npm packages", npm, ["ci", "--no-audit", "--no-fund", "--include=dev"], { env });
  writeFileSync(at(dependenciesNote), dependenciesDigest());
}

/** Fresh when our own note says so, or (where a developer installed) npm's note of what it installed. */
function dependenciesAreStale() {
  if (!existsSync(at("node_modules"))) return true;
  if (existsSync(at(dependenciesNote)) && readFileSync(at(dependenciesNote), "utf8") === dependenciesDigest())
    return false;
  const noted = at("node_modules/.package-lock.json");
  if (!existsSync(noted)) return true;
  const wanted = JSON.parse(readFileSync(at("package-lock.json"), "utf8")).packages;
  const installed = JSON.parse(readFileSync(noted, "utf8")).packages;
  return Object.entries(wanted).some(
    ([path, entry]) => path !== "" && !entry.optional && installed[path]?.version !== entry.version,
  );
}

const dependenciesNote = "node_modules/.stillframe-installed";

/** Native modules are built for one major version of Node. */
function dependenciesDigest() {
  const node = process.versions.modules;
  return createHash("sha256")
    .update(node)
    .update(readFileSync(at("package-lock.json")))
    .digest("hex");
}

async function buildEngine() {
  await step(root, "engine (Rust, release)", requireCargo(), ["build", "--release", "--locked"], { cwd: at("native") });
  keepStamp("engine", ["native"]);
}

async function generateClient() {
  const sources = ["prisma", "prisma.config.ts"];
  if (!isStale("client", sources, ["server/console/data/generated/client.ts"])) return;
  await step(root, "database client", bin("prisma"), ["generate"]);
  keepStamp("client", sources);
}

async function bundlePrograms() {
  const sources = ["server", "package.json", "package-lock.json", "tsconfig.json"];
  const made = Object.keys(programs).map((name) => `dist/${name}.js`);
  if (!isStale("programs", sources, made)) return;
  const started = performance.now();
  const { build: bundle } = await import("esbuild");
  const common = {
    absWorkingDir: root,
    outdir: "dist",
    bundle: true,
    platform: /** @type {const} */ ("node"),
    format: /** @type {const} */ ("esm"),
    target: "node20",
    sourcemap: true,
    logLevel: /** @type {const} */ ("error"),
  };
  const { cli, worker, console } = programs;
  await bundle({ ...common, entryPoints: { console }, packages: "external" });
  // Without packages: the command line starts for every call, and both go to machines that have nothing but Node.
  const require = 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);';
  await bundle({ ...common, entryPoints: { cli, worker }, banner: { js: `#!/usr/bin/env node\n${require}` } });
  chmodSync(at("dist/cli.js"), 0o755);
  keepStamp("programs", sources);
  say(`  programs: done in ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

async function buildPages() {
  const settings = ["next.config.ts", "postcss.config.mjs", "instrumentation-client.ts", "package-lock.json"];
  const sources = ["app", "public", "server/core", ...settings];
  if (!isStale("pages", sources, [".next/BUILD_ID"])) return;
  await step(root, "pages", bin("next"), ["build"], { env: { NEXT_TELEMETRY_DISABLED: "1", NODE_ENV: "production" } });
  keepStamp("pages", sources);
}

const stampFile = (/** @type {string} */ name) => at(`dist/stamps/${name}`);

/** @param {string} name @param {string[]} sources @param {string[]} results */
function isStale(name, sources, results) {
  if (results.some((path) => !existsSync(at(path)))) return true;
  return !existsSync(stampFile(name)) || readFileSync(stampFile(name), "utf8") !== digest(sources);
}

/** @param {string} name @param {string[]} sources */
function keepStamp(name, sources) {
  mkdirSync(dirname(stampFile(name)), { recursive: true });
  writeFileSync(stampFile(name), digest(sources));
}

const notSources = new Set(["target", "node_modules", "generated", ".next", "dist"]);

/** @param {string[]} paths */
function digest(paths) {
  const hash = createHash("sha256");
  const add = (/** @type {string} */ path) => {
    if (!existsSync(at(path))) return;
    const entries = readdirOrNull(path);
    if (entries === null) {
      hash.update(`${path}\0`).update(readFileSync(at(path)));
      return;
    }
    for (const entry of entries.sort()) if (!notSources.has(entry)) add(`${path}/${entry}`);
  };
  paths.forEach(add);
  return hash.digest("hex");
}

/** @param {string} path */
function readdirOrNull(path) {
  try {
    return readdirSync(at(path));
  } catch {
    return null;
  }
}
