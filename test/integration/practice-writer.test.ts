/** The practice writer on a file system without room. */
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { writeWhole } from "@/server/worker/practice/practice-writer";
import { mustRun } from "@/server/worker/programs/run-program";
import { cleanupAfterEach } from "../fixtures/cleanup";

const cleanup = cleanupAfterEach();
const ROOM_BYTES = 64 * 1024;

it("fails where only a part of what it writes finds room, instead of losing the rest", async () => {
  const directory = await mkdtemp(join(tmpdir(), "stillframe-writer-"));
  cleanup.add("directory", () => rm(directory, { recursive: true }));
  await mustRun("mount", ["-t", "tmpfs", "-o", `size=${ROOM_BYTES}`, "room", directory]);
  cleanup.add("file system", () => mustRun("umount", [directory]));
  const file = await open(join(directory, "file"), "w+");
  cleanup.add("file", () => file.close());
  await expect(writeWhole(file, Buffer.alloc(2 * ROOM_BYTES), 0)).rejects.toThrow("ENOSPC");
  expect((await file.stat()).size).toBe(ROOM_BYTES); // a part was taken first
});
