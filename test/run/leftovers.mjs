/** What the product or its tests could leave on the machine: compared before and after all tests. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** @returns {Set<string>} */
export function findings() {
  return new Set([...mounts(), ...loops(), ...processes(), ...directories(), ...haste(), ...strayFiles()]);
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
  const ours = /^(stillframe|sf)-/;
  return ["/run", "/tmp", "/dev/shm"].flatMap((place) =>
    readdirSync(place)
      .filter((name) => ours.test(name))
      .map((name) => `directory ${place}/${name}`),
  );
}

/** What a freeze that could not end has left of its haste (`native/freeze`). */
function haste() {
  try {
    const value = readFileSync("/sys/kernel/rcu_expedited", "utf8").trim();
    return value === "0" ? [] : [`/sys/kernel/rcu_expedited ${value}`];
  } catch {
    return []; // a kernel without
  }
}

/** Files in the repository that neither belong to it nor are ignored. */
function strayFiles() {
  try {
    const status = execFileSync("git", ["status", "--porcelain"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return status.split("\n").flatMap((line) => (line ? [`changed or new file ${line}`] : []));
  } catch {
    return []; // not a clone
  }
}
