/**
 * A virtual machine with a kernel that this one is not: qemu without hardware virtualisation, a memory file system made
 * for the occasion, one script, and off. Nothing of it outlives the call: the scratch directory is removed and qemu is
 * killed at the time limit.
 *
 * The script's output comes over a virtio port, which is a plain stream; the kernel's own messages over the serial line.
 */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { base, EXIT_MARK, init, program } from "./contents";
import { archive, file } from "./cpio";
import { debianKernel, modulesInOrder } from "./kernel";

export interface MachineOptions {
  /** Its series, such as "6.12", or its release. */
  kernel: string;
  /** Programs of this machine, by name or path; each is /bin/<name> there. */
  programs: string[];
  /** Of the kernel; what they depend on comes along. */
  modules: string[];
  /** For busybox's shell. */
  script: string;
  /** Further files: path there, and content. */
  files?: Record<string, string>;
  memoryMb?: number;
  /** Disks, /dev/vda on: the size of each, which is kept in a sparse file of the host. */
  disksMb?: number[];
  /** What each disk does a second at most; it takes further requests, and lets them wait. Default: as many as it can. */
  diskOperationsPerSecond?: number;
  /** qemu is killed after this. Default 240 s. */
  timeoutMs?: number;
}

export interface MachineResult {
  /** Of the script; null when the machine ended, or was ended, before the script did. */
  exitCode: number | null;
  /** What the script printed. */
  output: string;
  /** What the kernel printed. */
  kernelLog: string;
  timedOut: boolean;
}

export const QEMU = "qemu-system-x86_64";
const BOOT_ATTEMPTS = 3;

/** Boots it; throws with all that was said unless the script ran to its end and succeeded. */
export async function mustBoot(options: MachineOptions): Promise<MachineResult> {
  const result = await bootMachine(options);
  if (result.exitCode === 0) return result;
  const how = result.timedOut ? "was ended at its time limit" : `ended with ${result.exitCode}`;
  throw new Error(`the machine ${how}\n${result.output}\n--- kernel\n${result.kernelLog}`);
}

async function bootMachine(options: MachineOptions): Promise<MachineResult> {
  const kernel = await debianKernel(options.kernel);
  const modules = await modulesInOrder(kernel, options.modules);
  const entries = [
    ...(await Promise.all(options.programs.map(program))).flat(),
    ...(await base()),
    init(modules.map((module) => module.name)),
    ...modules.map((module) => file(`modules/${module.name}.ko`, module.data)),
    ...Object.entries(options.files ?? {}).map(([path, text]) => file(path.replace(/^\//, ""), text)),
    file("script", options.script),
  ];
  const scratch = await mkdtemp(join(tmpdir(), "stillframe-machine-"));
  try {
    const initial = join(scratch, "initial.cpio");
    await writeFile(initial, archive(entries));
    for (const [number, size] of (options.disksMb ?? []).entries()) {
      await writeFile(diskFile(scratch, number), "");
      await truncate(diskFile(scratch, number), size * 1024 ** 2);
    }
    for (let attempt = 1; ; attempt += 1) {
      const began = performance.now();
      const result = await run(kernel.image, initial, scratch, options);
      const why = kernelDied(options.kernel, result) ?? clockRanAway(result, (performance.now() - began) / 1000);
      if (why === null || attempt === BOOT_ATTEMPTS) return result;
      process.stderr.write(`the machine is booted again: ${why}\n`);
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

const diskFile = (scratch: string, number: number) => join(scratch, `disk-${number}`);

/** The kernel tells of a fault in its ublk driver, or warns of one. */
export const TRACE_OF_UBLK = /\bublk_\w+\+0x/;

/**
 * Faults of the kernel or of the emulation, told but no finding of any test. While it starts, the emulation sometimes runs
 * an instruction that another processor is just patching. And 6.12's ublk driver can follow a null pointer
 * (`io_uring_cmd_done` from `ublk_quiesce_work_fn`) when the process that serves is killed; later ones must not.
 */
function kernelDied(kernel: string, { exitCode, kernelLog }: MachineResult): string | null {
  if (exitCode !== null || !kernelLog.includes("Kernel panic")) return null;
  if (!kernel.startsWith("6.12") && TRACE_OF_UBLK.test(kernelLog)) return null;
  return `its kernel died: ${/RIP: .*/.exec(kernelLog)?.[0] ?? "no place told"}`;
}

/**
 * On a busy host the kernel can measure its clock wrong at boot, and then minutes pass there in seconds: every time limit
 * is over before anything could have happened.
 */
function clockRanAway({ exitCode, kernelLog }: MachineResult, hostSeconds: number): string | null {
  const seconds = Number([...kernelLog.matchAll(/^\[ *(\d+\.\d+)\]/gm)].at(-1)?.[1] ?? 0);
  if (exitCode === 0 || seconds < 2 * hostSeconds) return null;
  return `its clock went ${Math.round(seconds)} s in ${Math.round(hostSeconds)} s`;
}

async function run(image: string, initial: string, scratch: string, options: MachineOptions): Promise<MachineResult> {
  const timedOut = await runQemu(image, initial, scratch, options);
  const read = (name: string) => readFile(join(scratch, name), "utf8").catch(() => "");
  const [output, kernelLog] = await Promise.all([read("output"), read("kernel.log")]);
  const at = output.lastIndexOf(EXIT_MARK);
  const exitCode = at < 0 ? null : Number(output.slice(at + EXIT_MARK.length));
  return { exitCode, output: at < 0 ? output : output.slice(0, at), kernelLog, timedOut };
}

/**
 * Without ERMS and FSRM the kernel copies by words: "rep movsb" is emulated byte by byte, which made copies of 1 MiB
 * five times slower against everything else than they are.
 *
 * Resolves, with whether the time limit ended it, when qemu is gone.
 */
function runQemu(kernel: string, initial: string, scratch: string, options: MachineOptions): Promise<boolean> {
  const most = options.diskOperationsPerSecond;
  const throttle = most === undefined ? "" : `,throttling.iops-total=${most}`;
  const args = [
    ...["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-machine", "pc,usb=off"],
    ...["-accel", "tcg,thread=multi", "-cpu", "max,-erms,-fsrm", "-smp", "2", "-m", `${options.memoryMb ?? 1024}`],
    ...["-kernel", kernel, "-initrd", initial],
    ...[
      "-append",
      "console=ttyS0 quiet loglevel=5 oops=panic panic=-1 mitigations=off nokaslr random.trust_cpu=on tsc=reliable",
    ],
    ...["-serial", `file:${join(scratch, "kernel.log")}`],
    ...["-device", "virtio-serial-pci", "-chardev", `file,id=out,path=${join(scratch, "output")}`],
    ...["-device", "virtserialport,chardev=out,name=stillframe.output"],
    ...(options.disksMb ?? []).flatMap((_, number) => [
      "-drive",
      `file=${diskFile(scratch, number)},format=raw,if=virtio,discard=unmap${throttle}`,
    ]),
  ];
  return new Promise((done, fail) => {
    const qemu = spawn(QEMU, args, { stdio: ["ignore", "inherit", "inherit"] });
    let timedOut = false;
    const end = () => qemu.kill("SIGKILL");
    const timer = setTimeout(() => {
      timedOut = true;
      end();
    }, options.timeoutMs ?? 240_000);
    process.once("exit", end);
    const settled = () => {
      clearTimeout(timer);
      process.removeListener("exit", end);
    };
    qemu.once("error", (error) => {
      settled();
      fail(error);
    });
    qemu.once("close", () => {
      settled();
      done(timedOut);
    });
  });
}
