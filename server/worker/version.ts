import packageFile from "@/package.json";

/** Version of this worker, as the console shows it. */
export function workerVersion(): string {
  return packageFile.version;
}
