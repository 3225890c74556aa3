/** A disk that does only so many writes a second, as those of clouds do: by the kernel's limit for a control group. */
import { existsSync } from "node:fs";
import { readFile, realpath, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/** `major:minor` of the disk that a file lies on; the whole one, which alone has limits. */
async function diskOf(file: string): Promise<string> {
  const { dev } = await stat(file);
  const number = `${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)}`;
  const known = await realpath(`/sys/dev/block/${number}`);
  const disk = existsSync(join(known, "partition")) ? dirname(known) : known;
  return (await readFile(join(disk, "dev"), "utf8")).trim();
}

/** Holds what an attached volume's engine writes to the disk of `file` to a number a second, until it is detached. */
export async function limitWrites(volume: string, file: string, perSecond: number): Promise<void> {
  const disk = await diskOf(file);
  const [first, second] = [`/sys/fs/cgroup/blkio/stillframe/${volume}`, `/sys/fs/cgroup/stillframe/${volume}`];
  if (existsSync(first)) {
    await writeFile(join(first, "blkio.throttle.write_iops_device"), `${disk} ${perSecond}`);
  } else if (existsSync(join(second, "io.max"))) {
    await writeFile(join(second, "io.max"), `${disk} wiops=${perSecond}`);
  } else {
    throw new Error("this host has no control groups that limit writes (blkio, or io of version 2)");
  }
}
