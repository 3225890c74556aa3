/** What this machine must have, each refusal a sentence with what to do. Installs Debian packages that are missing. */
import { execFileSync } from "node:child_process";
import { accessSync, constants, existsSync, readdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { Refusal, say, step } from "./bootstrap-steps.mjs";

const GIB = 1024 ** 3;

/** A program that is needed to build, and the Debian package that has it. @type {Record<string, string>} */
export const buildPackageOf = {
  cc: "build-essential",
  make: "build-essential",
  python3: "python3",
};

/** One that is needed at run time. @type {Record<string, string>} */
export const programPackageOf = {
  restic: "restic",
  "mkfs.ext4": "e2fsprogs",
  "mkfs.xfs": "xfsprogs",
  losetup: "mount",
  nsenter: "util-linux",
  blkid: "util-linux",
};

/** @type {Record<string, string>} */
export const testPackageOf = {
  busybox: "busybox-static",
  chromium: "chromium",
  dmsetup: "dmsetup",
  fio: "fio",
  git: "git",
  "linux.uml": "user-mode-linux",
  mariadb: "mariadb-client-core",
  mariadbd: "mariadb-server-core",
  modprobe: "kmod",
  "nbd-client": "nbd-client",
  nbdcopy: "libnbd-bin",
  openssl: "openssl",
  pgrep: "procps",
  postgres: "postgresql",
  "qemu-img": "qemu-utils",
  "qemu-system-x86_64": "qemu-system-x86",
  tar: "tar",
  xz: "xz-utils",
};

const directories = [
  ...new Set([
    ...(process.env.PATH ?? "").split(delimiter),
    "/usr/local/sbin",
    "/usr/sbin",
    "/sbin",
    "/usr/bin",
    "/bin",
    join(homedir(), ".cargo/bin"),
  ]),
];

/** Debian keeps PostgreSQL's server out of the path, one directory a version. */
function postgresqlDirectories() {
  const top = "/usr/lib/postgresql";
  return existsSync(top) ? readdirSync(top).map((version) => join(top, version, "bin")) : [];
}

/** @param {string} program @returns {string | null} */
export function find(program) {
  for (const directory of [...directories, ...postgresqlDirectories()]) {
    const path = join(directory, program);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this directory.
    }
  }
  return null;
}

export function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > 20 || (major === 20 && minor >= 9)) return;
  throw new Refusal(`Node ${process.versions.node} is too old.`, "Install Node 20.9 or newer.");
}

export function requireLinuxAndRoot() {
  if (process.platform !== "linux") {
    throw new Refusal("Stillframe works with Linux file systems only.", "Run it on a Linux server.");
  }
  if (process.getuid?.() !== 0) {
    throw new Refusal(
      "Stillframe freezes and mounts file systems, so it runs as root.",
      "Run it as root, for example: sudo npm start",
    );
  }
}

/** FUSE and loop devices; loads their kernel modules where they are not there yet. */
export function requireDevices() {
  const needed = [
    { module: "fuse", device: "/dev/fuse" },
    { module: "loop", device: "/dev/loop-control" },
  ];
  for (const { module, device } of needed) {
    if (!existsSync(device)) {
      try {
        execFileSync("modprobe", [module], { stdio: "ignore" });
      } catch {
        // The check below says what to do.
      }
    }
    if (existsSync(device)) continue;
    throw new Refusal(
      `${device} is missing, so volumes cannot be attached.`,
      `Load the kernel module (modprobe ${module}); in a container, pass the device in or run it privileged.`,
    );
  }
}

/** @param {string} directory @param {number} gib */
export function requireSpace(directory, gib) {
  let at = directory;
  while (!existsSync(at)) at = dirname(at);
  const { bavail, bsize } = statfsSync(at);
  const free = bavail * bsize;
  if (free >= gib * GIB) return;
  throw new Refusal(
    `Only ${(free / GIB).toFixed(1)} GiB are free on the file system of ${directory}; ${gib} GiB are needed.`,
    "Free some space, or use another disk.",
  );
}

export function requireCargo() {
  const cargo = find("cargo");
  if (cargo) return cargo;
  throw new Refusal(
    "There is no Rust toolchain (cargo) to build the engine with.",
    "Install one from https://rustup.rs, then start again.",
  );
}

/** @param {"--port" | "--tls-port"} option that chose it @param {number} port @param {string} bind */
export async function requirePort(option, port, bind) {
  const code = await new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", (/** @type {NodeJS.ErrnoException} */ error) => resolve(error.code));
    probe.listen(port, bind, () => probe.close(() => resolve(null)));
  });
  if (code === null) return requireOpenToBrowsers(option, port);
  if (code === "EADDRINUSE") {
    throw new Refusal(
      `Port ${port} on ${bind} is in use by another program.`,
      `Stop that one, or choose another port: npm start -- ${option} ${port + 1}`,
    );
  }
  throw new Refusal(`Cannot listen on ${bind}, port ${port} (${code}).`, `Choose another with --bind and ${option}.`);
}

/**
 * Browsers refuse the ports of some other protocols, and so does fetch, whose list this asks. Nothing listens there.
 * @param {string} option that chose it @param {number} port
 */
async function requireOpenToBrowsers(option, port) {
  const refused = await fetch(`http://127.0.0.1:${port}/`).then(
    () => false,
    (/** @type {Error} */ error) => error.cause instanceof Error && error.cause.message === "bad port",
  );
  if (refused) {
    throw new Refusal(
      `Browsers refuse to open port ${port}: it belongs to another protocol.`,
      `Choose another with ${option}.`,
    );
  }
}

/**
 * Installs the Debian packages of programs that are missing. `services`: whether what they bring may start at once.
 * @param {string} root of the installation, for the log @param {Record<string, string>} wanted packages by program
 * @param {{services: boolean}} [options]
 */
export async function installPackages(root, wanted, { services } = { services: true }) {
  const missing = Object.entries(wanted).filter(([program]) => find(program) === null);
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map(([, name]) => name))];
  say(`Missing: ${missing.map(([program]) => program).join(", ")}`);
  const apt = find("apt-get");
  if (!apt) {
    throw new Refusal(
      "They can be installed by themselves only on Debian and its relatives.",
      `Install the programs with this system's package manager (in Debian the packages are ${packages.join(", ")}).`,
    );
  }
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  const install = ["install", "-y", "--no-install-recommends", ...packages];
  const title = `Debian packages ${packages.join(", ")}`;
  if (!hasPackageLists()) await step(root, "Debian package lists", apt, ["update"], { env });
  const allow = services ? () => {} : forbidServices();
  try {
    await step(root, title, apt, install, { env });
  } catch {
    // Lists that are too old name packages that are gone.
    await step(root, "Debian package lists", apt, ["update"], { env });
    await step(root, title, apt, install, { env });
  } finally {
    allow();
  }
  const still = missing.map(([program]) => program).filter((program) => find(program) === null);
  if (still.length === 0) return;
  throw new Refusal(`${still.join(", ")} cannot be run, although the packages are installed.`, "Look at them by hand.");
}

/** Debian asks this program before a package starts a service. */
const policy = "/usr/sbin/policy-rc.d";

/** Until the returned function is called, no package starts what it installs. A policy that is there stays as it is. */
function forbidServices() {
  if (existsSync(policy)) return () => {};
  const text = "#!/bin/sh\n# Made by Stillframe's npm test while it installs packages; may be removed.\nexit 101\n";
  writeFileSync(policy, text, { mode: 0o755 });
  return () => rmSync(policy, { force: true });
}

function hasPackageLists() {
  try {
    return readdirSync("/var/lib/apt/lists").some((name) => name.includes("Packages"));
  } catch {
    return false;
  }
}
