/** Which machines are cut, and what they need beside the product. */
import { existsSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { mustRun } from "@/server/worker/programs/run-program";
import type { Scenario } from "./scenario";

/** In memory where there is room: the log of one machine is some hundred MiB. */
export const scratchParent = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

export function scenarios(seconds: number): Scenario[] {
  const one = (
    name: string,
    fileSystem: Scenario["fileSystem"],
    backing: Scenario["backing"],
    snapshots: boolean,
  ): Scenario => ({ name, fileSystem, backing, snapshots, seconds });
  return [
    one("raw records", "none", "device", false),
    one("raw records, snapshots open", "none", "device", true),
    one("raw records in an image file, snapshots open", "none", "image", true),
    one("ext4", "ext4", "device", false),
    one("ext4, snapshots open", "ext4", "device", true),
    one("ext4 in an image file, snapshots open", "ext4", "image", true),
    one("xfs", "xfs", "device", false),
    one("xfs, snapshots open", "xfs", "device", true),
    one("xfs in an image file, snapshots open", "xfs", "image", true),
  ];
}

/** The program that writes records; not part of the product's build. */
export async function buildWriter(): Promise<void> {
  const native = fileURLToPath(new URL("../../native", import.meta.url));
  const path = [process.env.PATH, join(homedir(), ".cargo/bin")].join(delimiter);
  const args = ["build", "--release", "--locked", "--manifest-path", `${native}/Cargo.toml`, "-p", "powercut"];
  await mustRun("cargo", args, { timeoutMs: 300_000, env: { PATH: path } });
}
