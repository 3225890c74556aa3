/**
 * Kills processes and measures how long a device stands still: `node kill-probe.mjs DEVICE`.
 *
 * A line on standard input is the pid of the engine that serves the device. It is killed, then blocks are read past all
 * caches, one after the other. A read that began after the engine's end can only have been answered by the
 * next one: the line on standard output is the milliseconds from the kill to that answer, or an error's text.
 * A program of its own, because reading must not wait for whatever else its caller does.
 */
import { constants, openSync, readFileSync, readSync } from "node:fs";
import { createInterface } from "node:readline";

const BLOCK = 4096;
const device = process.argv[2] ?? "";
const fd = openSync(device, constants.O_RDONLY | constants.O_DIRECT);
const { buffer, offset } = alignedBuffer();

/** Direct reads want memory at a multiple of the sector size; where a buffer lies is found by trying. */
function alignedBuffer() {
  const roomy = Buffer.allocUnsafeSlow(2 * BLOCK);
  for (let at = 0; at < BLOCK; at += 8) {
    try {
      readSync(fd, roomy, at, BLOCK, 0);
      return { buffer: roomy, offset: at };
    } catch (/** @type {any} */ error) {
      if (error.code !== "EINVAL") throw error;
    }
  }
  throw new Error(`no buffer suits a direct read of ${device}`);
}

/** Whether a thread of it may still answer. @param {number} pid */
function lives(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // Where its keeper died too, nobody may be there to reap it.
    return fields[0] !== "Z" || Number(fields[17]) > 1;
  } catch {
    return false;
  }
}

/** @param {number} pid */
function killAndWait(pid) {
  const killed = performance.now();
  process.kill(pid, "SIGKILL");
  for (let n = 0; ; n += 1) {
    const gone = !lives(pid);
    readSync(fd, buffer, offset, BLOCK, (n % 64) * BLOCK);
    if (gone) return performance.now() - killed;
  }
}

createInterface({ input: process.stdin }).on("line", (line) => {
  try {
    process.stdout.write(`${killAndWait(Number(line)).toFixed(3)}\n`);
  } catch (error) {
    process.stdout.write(`${error}\n`);
  }
});
