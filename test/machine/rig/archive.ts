/**
 * Debian's packages, by name. apt checks what it fetches: the signature of the lists, and by them the digest of each
 * package. The lists of this machine are used as they are; those of the backports, which have kernels newer than this
 * machine's release, are kept apart from them.
 */
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { mustRun } from "@/server/worker/programs/run-program";

const BACKPORTS = "trixie-backports";
const KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg";

export interface Archive {
  /** Of the packages whose whole name the pattern is; empty if there are none. */
  names(pattern: string): Promise<string[]>;
  /** Into a directory. */
  download(names: string[], to: string): Promise<void>;
}

/** What this machine installs from. */
export const installed = archive([]);

/** Debian's backports, from where this machine has Debian; their lists are fetched once, into `directory`. */
export async function backports(directory: string): Promise<Archive> {
  const sources = join(directory, "sources.list");
  const options = [
    `Dir::Etc::SourceList=${sources}`,
    "Dir::Etc::SourceParts=-",
    `Dir::State::Lists=${join(directory, "lists")}`,
    `Dir::Cache=${join(directory, "cache")}`,
    "APT::Sandbox::User=root",
    "Acquire::Languages=none",
  ].flatMap((option) => ["-o", option]);
  if (!existsSync(sources)) {
    const targets = ["--format", "$(REPO_URI)", "Created-By: Packages", "Label: Debian"];
    const [mirror] = (await mustRun("apt-get", ["indextargets", ...targets])).split("\n");
    if (!mirror) throw new Error("this machine has no Debian package lists");
    for (const part of ["lists/partial", "cache/archives/partial"])
      await mkdir(join(directory, part), { recursive: true });
    const list = `${sources}.new.list`;
    await writeFile(list, `deb [signed-by=${KEYS}] ${mirror} ${BACKPORTS} main\n`);
    const update = ["-o", `Dir::Etc::SourceList=${list}`, "-o", "APT::Update::Error-Mode=any"];
    await mustRun("apt-get", [...options, ...update, "update", "-q"], { timeoutMs: 120_000 });
    await mustRun("mv", [list, sources]);
  }
  return archive(options);
}

function archive(options: string[]): Archive {
  return {
    async names(pattern) {
      const found = await mustRun("apt-cache", [...options, "search", "--names-only", `^${pattern}$`]);
      return found
        .split("\n")
        .map((line) => line.split(" ")[0] ?? "")
        .filter((name) => name !== "");
    },
    async download(names, to) {
      await mustRun("env", ["-C", to, "apt-get", ...options, "download", "-q", ...names], { timeoutMs: 300_000 });
    },
  };
}
