/**
 * AddressSanitizer with the stable compiler: it carries the sanitizer's runtime, and only the switch counts as unstable.
 * The standard library is as it comes, so what goes wrong inside it is seen by the allocator's checks alone.
 */
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

export const native = fileURLToPath(new URL("../../native", import.meta.url));
/** Named, so that build scripts and macros are not instrumented. */
export const TRIPLE = "x86_64-unknown-linux-gnu";
export const SANITIZER_FLAGS = ["-Zsanitizer=address"];
export const BUILD_ENVIRONMENT = {
  RUSTC_BOOTSTRAP: "1",
  PATH: [process.env.PATH, join(homedir(), ".cargo/bin")].join(delimiter),
};

/** What sanitized programs say of what they find, whichever of them finds it: engines are nobody's child. */
export class Reports {
  constructor(private readonly directory: string) {}

  async clear(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
    await mkdir(this.directory, { recursive: true });
  }

  get environment(): Record<string, string> {
    const options = { log_path: join(this.directory, "report"), detect_leaks: 1, abort_on_error: 0 };
    const text = Object.entries(options).map(([name, value]) => `${name}=${value}`);
    return { ASAN_OPTIONS: text.join(":") };
  }

  async read(): Promise<string[]> {
    const names = await readdir(this.directory);
    return Promise.all(names.map((name) => readFile(join(this.directory, name), "utf8")));
  }
}
