/**
 * Writers whose memory is full wait until some of it is written back, which only the engine can do. An engine of their own
 * control group would wait with them, for itself, for ever (it does with `--cgroup none`, even if the limit is raised then).
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import type { ProbeResult } from "@/server/worker/engine/protocol.gen";
import { mustRun } from "@/server/worker/programs/run-program";
import { AttachedVolume, type FileSystem, MIB, mustBeSound, unmount } from "../fixtures/attached-volume";
import { BackgroundProgram } from "../fixtures/background-program";
import { cleanupAfterEach } from "../fixtures/cleanup";
import { hashOf } from "../fixtures/device-hash";
import { mustFreeze } from "../fixtures/freeze-program";
import { MemoryGroup, noMemoryGroups } from "../fixtures/memory-group";
import { nativeProgram, pause } from "../fixtures/native-program";

const LIMIT_BYTES = 48 * MIB;
/** Each with a file of the same size as the limit. */
const WRITERS = 3;
const KILLS = 3;

const missing = await noMemoryGroups();
const cleanup = cleanupAfterEach();
let directory: string;

/** On a disk: what lies in memory is not written back. */
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "stillframe-test-"));
  cleanup.add("remove the directory", () => rm(directory, { recursive: true, force: true }));
});

describe.skipIf(missing)(
  `writers whose control group has no memory left${missing ? ` (there are no ${missing})` : ""}`,
  () => {
    it.each<FileSystem>(["ext4", "xfs"])(
      "get on under a snapshot and over kills, on a volume that was attached from that group: %s",
      async (fileSystem) => {
        const group = await MemoryGroup.make(cleanup, "stillframe-memory-full");
        const volume = await group.within(() => AttachedVolume.attach(cleanup, directory, "vol", 400 * MIB));
        expect(await group.processes()).toEqual([]);
        const at = await volume.mountNew(fileSystem);
        const writing = () =>
          new BackgroundProgram(
            cleanup,
            ...group.command("fio", [
              ...[
                "--name=buffered",
                `--directory=${at}`,
                `--numjobs=${WRITERS}`,
                `--size=${LIMIT_BYTES}`,
                "--rw=randwrite",
              ],
              ...["--bsrange=4k-256k", "--ioengine=psync", "--randrepeat=0", "--refill_buffers", "--end_fsync=1"],
              ...["--verify=crc32c", "--verify_fatal=1", "--verify_state_save=0", "--eta=never"],
            ]),
          );
        // Once, so that the files are there, and each of their blocks must be preserved the second time.
        await writing().mustSucceed();
        await volume.prepare("s1", { maxBytes: 400 * MIB });
        await mustFreeze([volume], "s1");
        const image = await volume.export("s1");
        const hash = await hashOf(image);
        await group.limit(LIMIT_BYTES);

        const load = writing();
        for (let kill = 0; kill < KILLS && load.running; kill += 1) {
          await pause(300);
          process.kill(await volume.enginePid(), "SIGKILL");
        }
        const output = await load.mustSucceed();

        expect(output.match(/err= *\d+/g)).toEqual(Array(WRITERS).fill("err= 0"));
        expect(await group.reached()).toBeGreaterThan(0);
        const { preservedBlocks } = (await volume.snapshotReport("s1")) ?? {};
        expect(preservedBlocks).toBeGreaterThan((LIMIT_BYTES * 2) / 4096);
        expect(await hashOf(image)).toBe(hash);
        await unmount(at);
        await mustBeSound(volume.device, fileSystem);
      },
    );

    it("are told of by doctor where engines would share their limit, as in a container that has one", async () => {
      const group = await MemoryGroup.make(cleanup, "stillframe-memory-full");
      await group.limit(LIMIT_BYTES);
      const probe = [nativeProgram("stillframe-engine"), "probe"];
      const inside = [
        "--mount",
        "bash",
        "-c",
        'mount --bind "$0" "$1" && shift && exec "$@"',
        group.path,
        dirname(group.path),
      ];
      const told = await mustRun("unshare", [...inside, ...probe]);
      const { features } = JSON.parse(told) as ProbeResult;
      expect(features.find(({ name }) => name === "cgroup")).toMatchObject({
        ok: false,
        detail: expect.stringContaining(`share a limit of ${LIMIT_BYTES} bytes`),
      });
    });
  },
);
