/**
 * Kernels for the virtual machine: Debian's for clouds, taken from their packages, never installed on this machine.
 * Each is unpacked once, below the build's directory.
 */
import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Archive, backports, installed } from "../../fixtures/debian-archive";
import { unpackedOnce } from "../../fixtures/unpacked-packages";

const execute = promisify(execFile);
const cache = fileURLToPath(new URL("../../../native/target/machine", import.meta.url));
const lists = join(cache, "lists");

export interface Kernel {
  image: string;
  /** `lib/modules/<version>` of the packages. */
  modules: string;
}

/**
 * The newest of a series, such as "6.12", or one release, such as "6.18.5". Downloads and unpacks it unless that was
 * done before. Throws, with the reason, where it cannot be had.
 */
export async function debianKernel(version: string): Promise<Kernel> {
  const unpacked = join(cache, `kernel-${version}`);
  await unpackedOnce(unpacked, (directory) => fetchPackages(version, directory));
  const files = readdirSync(unpacked, { recursive: true, encoding: "utf8" });
  const image = files.find((path) => /(^|\/)vmlinuz[^/]*$/.test(path));
  const modules = files.find((path) => /(^|\/)lib\/modules\/[^/]+$/.test(path));
  if (!image || !modules) throw new Error(`${unpacked} holds no kernel; remove it`);
  return { image: join(unpacked, image), modules: join(unpacked, modules) };
}

/** Since 6.19 an image is a package of packages: the kernel, its modules, and what tells about both. */
async function fetchPackages(version: string, to: string): Promise<void> {
  const { archive, release } = await find(version);
  const names = await Promise.all(
    ["image", "binary", "modules", "base"].map((part) => archive.names(`linux-${part}-${escaped(release)}`)),
  );
  await archive.download(names.flat(), to);
}

const PREFIX = "linux-image-";

/** The series, such as "6.18", that the package lists have kernels of; oldest first. */
export async function knownSeries(): Promise<string[]> {
  const archives = [installed, await backports(lists)];
  const names = await Promise.all(archives.map((archive) => archive.names(`${PREFIX}[0-9]+[.].*-cloud-amd64`)));
  const series = names.flat().map((name) => name.slice(PREFIX.length).split(".").slice(0, 2).join("."));
  return [...new Set(series)].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
}

/** As `uname -r` tells it, and who has it. */
async function find(version: string): Promise<{ archive: Archive; release: string }> {
  for (const archive of [installed, await backports(lists)]) {
    const names = await archive.names(`${PREFIX}${escaped(version)}[.+].*-cloud-amd64`);
    const patch = (name: string) => Number(name.slice(PREFIX.length).split(/[.+-]/)[2] ?? 0);
    const newest = names.sort((a, b) => patch(b) - patch(a))[0];
    if (newest) return { archive, release: newest.slice(PREFIX.length) };
  }
  throw new Error(`the Debian package lists have no linux-image-${version}*-cloud-amd64`);
}

const escaped = (text: string): string => text.replace(/[.+]/g, "\\$&");

/** The modules with all that they need, uncompressed, in the order in which to load them. */
export async function modulesInOrder(kernel: Kernel, wanted: string[]): Promise<Array<{ name: string; data: Buffer }>> {
  const canonical = (name: string) => name.replaceAll("-", "_");
  const nameOf = (path: string) => canonical((path.split("/").at(-1) ?? "").replace(/\.ko(\.xz)?$/, ""));
  const all = readdirSync(kernel.modules, { recursive: true, encoding: "utf8" }).filter((path) => /\.ko/.test(path));
  const paths = new Map(all.map((path) => [nameOf(path), join(kernel.modules, path)]));
  const builtIn = (await readFile(join(kernel.modules, "modules.builtin"), "utf8")).split("\n").map(nameOf);
  const ordered = new Map<string, Buffer>();
  const take = async (name: string): Promise<void> => {
    if (ordered.has(name) || builtIn.includes(name)) return;
    const path = paths.get(name);
    if (!path) throw new Error(`the kernel has no module ${name}`);
    const data = await uncompressed(path);
    const needs = /(?:^|\0)depends=([^\0]*)\0/.exec(data.toString("latin1"))?.[1] ?? "";
    for (const need of needs.split(",").filter((one) => one !== "")) await take(canonical(need));
    ordered.set(name, data);
  };
  for (const name of wanted) await take(canonical(name));
  return [...ordered].map(([name, data]) => ({ name, data }));
}

/** Leaves the file as it is: machines that boot side by side read the same. */
async function uncompressed(path: string): Promise<Buffer> {
  if (!path.endsWith(".xz")) return readFile(path);
  const { stdout } = await execute("xz", ["--decompress", "--stdout", path], {
    encoding: "buffer",
    maxBuffer: Number.POSITIVE_INFINITY,
  });
  return stdout;
}
