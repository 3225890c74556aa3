/** What `stillframe up` tells of when it stops. */
import { mkdir, mkdtemp, realpath, rm, rmdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { stillMounted } from "@/server/cli/up/still-mounted";
import { UBLK_DEVICES } from "@/server/core/contracts/ublk-devices";
import { mustRun } from "@/server/worker/programs/run-program";
import { cleanupAfterEach } from "../fixtures/cleanup";

const cleanup = cleanupAfterEach();

async function mountTmpfs(source: string, target: string): Promise<void> {
  await mustRun("mount", ["-t", "tmpfs", source, target]);
  cleanup.add(target, () => mustRun("umount", [target]));
}

it("names volumes whose live device is a ublk device of this run directory", async () => {
  const directory = await realpath(await mkdtemp(join(tmpdir(), "stillframe-mounted-")));
  cleanup.add("directory", () => rm(directory, { recursive: true }));
  const run = join(directory, "run");
  await mkdir(UBLK_DEVICES, { recursive: true });
  // Another volume's engine may use it.
  cleanup.add("devices", () => rmdir(UBLK_DEVICES).catch(() => {}));
  await mountTmpfs("told", UBLK_DEVICES);
  // The mount table shows what a file system was mounted from as it was said, so that no kernel with ublk is needed.
  for (const [name, owner] of [
    ["ublkb70", run],
    ["ublkb71", join(directory, "another")],
    ["ublkb72", null],
  ] as const) {
    if (owner !== null) await writeFile(join(UBLK_DEVICES, name), join(owner, "engines/v/fuse/live"));
    const target = join(directory, `mount of ${name}`);
    await mkdir(target);
    await mountTmpfs(`/dev/${name}`, target);
  }
  expect(stillMounted(run)).toEqual([{ mount: join(directory, "mount of ublkb70"), elsewhere: [] }]);
});
