/** Runs `check` of xfstests with one test, in namespaces of its own: when it ends or is ended, its processes and mounts are gone. */
import { type ChildProcess, spawn } from "node:child_process";
import { chmod, mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Outcome, outcomeOf } from "./outcome";

export interface Devices {
  fileSystem: string;
  testDevice: string;
  scratchDevice: string;
  /** For mount points, temporary files and results; deleted beforehand. */
  directory: string;
}

const MOST_OUTPUT = 1024 * 1024;
/** Tests name files in /tmp after their process, whose number is the same in every namespace. */
const BESIDE_NOBODY = 'mount --bind "$OWN_TMP" /tmp && exec ./check "$1"';

export class Check {
  private running: ChildProcess | null = null;
  private interrupted = false;

  constructor(
    private readonly build: string,
    private readonly testSeconds: number,
  ) {}

  /** Ends what runs now; nothing is run afterwards. */
  interrupt(): void {
    this.interrupted = true;
    this.running?.kill("SIGKILL");
  }

  async run(test: string, { fileSystem, testDevice, scratchDevice, directory }: Devices): Promise<Outcome> {
    const places = { TEST_DIR: "test", SCRATCH_MNT: "scratch", RESULT_BASE: "results", OWN_TMP: "tmp" };
    const env: Record<string, string> = {};
    await rm(directory, { recursive: true, force: true });
    for (const [name, place] of Object.entries(places)) {
      env[name] = join(directory, place);
      await mkdir(join(directory, place), { recursive: true });
    }
    await chmod(join(directory, places.OWN_TMP), 0o1777);
    const chosen = { FSTYP: fileSystem, TEST_DEV: testDevice, SCRATCH_DEV: scratchDevice, HOST_OPTIONS: "/dev/null" };
    const began = performance.now();
    const { exitCode, said, late } = await this.spawn(test, { ...env, ...chosen });
    const seconds = (performance.now() - began) / 1000;
    if (late) return { kind: "tooSlow", detail: said, seconds };
    const notRun = await readFile(join(directory, "results", `${test}.notrun`), "utf8").catch(() => null);
    return outcomeOf(exitCode, notRun, said, seconds);
  }

  private spawn(
    test: string,
    env: Record<string, string>,
  ): Promise<{ exitCode: number | null; said: string; late: boolean }> {
    return new Promise((done, fail) => {
      const apart = ["--pid", "--fork", "--kill-child", "--mount", "--propagation", "private", "--mount-proc"];
      // A session of its own: the terminal's signals are for the program that cleans up.
      const child = spawn("unshare", [...apart, "sh", "-c", BESIDE_NOBODY, "check", test], {
        cwd: this.build,
        env: { ...process.env, ...env, TMPDIR: "/tmp" },
        stdio: ["ignore", "pipe", "pipe"],
        detached: true,
      });
      this.running = child;
      if (this.interrupted) child.kill("SIGKILL");
      let said = "";
      let late = false;
      const keep = (text: Buffer) => {
        if (said.length < MOST_OUTPUT) said += text.toString();
      };
      child.stdout.on("data", keep);
      child.stderr.on("data", keep);
      const timer = setTimeout(() => {
        late = true;
        child.kill("SIGKILL");
      }, this.testSeconds * 1000);
      child.on("error", fail);
      child.on("close", (exitCode) => {
        clearTimeout(timer);
        this.running = null;
        done({ exitCode, said, late });
      });
    });
  }
}
