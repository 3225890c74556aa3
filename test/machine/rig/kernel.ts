/**
 * A kernel with ublk, NBD and the device mapper for the virtual machine: Debian's 6.12 for clouds, taken from its
 * package, never installed on this machine. It is unpacked once, below the build's directory.
 */
import { existsSync, readdirSync } from "node:fs";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { mustRun } from "@/server/worker/programs/run-program";

const cache = fileURLToPath(new URL("../../../native/target/machine", import.meta.url));
const PACKAGE = /^linux-image-6\.12\.(\d+)\S*-cloud-amd64$/;

export interface Kernel {
  image: string;
  /** `lib/modules/<version>` of the package. */
  modules: string;
}

/** Downloads and unpacks it unless that was done before. Throws, with the reason, where it cannot be had. */
export async function debianKernel(): Promise<Kernel> {
  const unpacked = join(cache, "kernel");
  if (!existsSync(unpacked)) await unpack(unpacked);
  const boot = join(unpacked, "boot");
  const image = readdirSync(boot).find((name) => name.startsWith("vmlinuz-"));
  const [version] = readdirSync(join(unpacked, "lib/modules"));
  if (!image || !version) throw new Error(`${unpacked} holds no kernel; remove it`);
  return { image: join(boot, image), modules: join(unpacked, "lib/modules", version) };
}

async function unpack(to: string): Promise<void> {
  const found = await mustRun("apt-cache", ["search", "--names-only", "^linux-image-6\\.12\\..*-cloud-amd64$"]);
  const names = found.split("\n").map((line) => line.split(" ")[0] ?? "");
  const patch = (name: string) => Number(PACKAGE.exec(name)?.[1] ?? -1);
  const newest = names.sort((a, b) => patch(b) - patch(a))[0] ?? "";
  if (patch(newest) < 0) throw new Error("the Debian package lists have no linux-image-6.12.*-cloud-amd64");
  const scratch = join(cache, "unpacking");
  await rm(scratch, { recursive: true, force: true });
  await mkdir(scratch, { recursive: true });
  await mustRun("env", ["-C", scratch, "apt-get", "download", "-q", newest], { timeoutMs: 300_000 });
  const [archive] = readdirSync(scratch);
  await mustRun("dpkg-deb", ["-x", join(scratch, archive ?? ""), join(scratch, "kernel")]);
  await rename(join(scratch, "kernel"), to);
  await rm(scratch, { recursive: true });
}

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

async function uncompressed(path: string): Promise<Buffer> {
  if (path.endsWith(".xz")) await mustRun("xz", ["--decompress", "--force", path]);
  return readFile(path.replace(/\.xz$/, ""));
}
