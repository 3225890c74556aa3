/** What the product or its tests could leave on the machine: compared before and after all tests. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** @returns {Set<string>} */
export function findings() {
  return new Set([...mounts(), ...loops(), ...processes(), ...directories()]);
}

function mounts() {
  return readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .filter((line) => /stillframe/i.test(line) || line.startsWith("/dev/loop"))
    .map((line) => `mount ${line.split(" ").slice(0, 3).join(" ")}`);
}

function loops() {
  const listed = execFileSync("losetup", ["--list", "--noheadings", "--output", "NAME,BACK-FILE"], {
    encoding: "utf8",
  });
  return listed.split("\n").flatMap((line) => (line.trim() ? [`loop device ${line.trim().replace(/\s+/g, " ")}`] : []));
}

function processes() {
  return readdirSync("/proc").flatMap((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return [];
    try {
      const name = readlinkSync(`/proc/${pid}/exe`).split("/").at(-1) ?? "";
      return /^stillframe-/.test(name) ? [`process ${pid} ${name}`] : [];
    } catch {
      return [];
    }
  });
}

function directories() {
  const inRun = readdirSync("/run").filter((name) => /^stillframe/.test(name));
  const inTmp = readdirSync("/tmp").filter((name) => /^(stillframe|sf)-/.test(name));
  return [...inRun.map((name) => `directory /run/${name}`), ...inTmp.map((name) => `directory /tmp/${name}`)];
}
