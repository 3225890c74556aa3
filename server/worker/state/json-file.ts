/** One JSON document in a file, replaced as a whole: after a crash it is the old or the new one. */
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { z } from "zod";
import { errnoName } from "../fault";
import { log } from "../log";

/** End of the name of a document that is being written. */
const UNFINISHED = ".new";

/** Writes with mode 0600 and waits until it is on stable storage. */
export async function writeJson(path: string, value: unknown): Promise<void> {
  const directory = dirname(path);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const temporary = `${path}${UNFINISHED}`;
  const file = await open(temporary, "w", 0o600);
  try {
    await file.writeFile(JSON.stringify(value));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  const parent = await open(directory, "r");
  await parent.sync().finally(() => parent.close());
}

/** The document, or null when the file is absent or does not fit the schema (which is logged). */
export async function readJson<S extends z.ZodType>(path: string, schema: S): Promise<z.output<S> | null> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (errnoName(error) === "ENOENT") return null;
    throw error;
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    log.warn({ path, err: error }, "a state file cannot be read and is ignored");
    return null;
  }
}

/** All documents `*.json` of a directory, in name order. */
export async function readAllJson<S extends z.ZodType>(directory: string, schema: S): Promise<z.output<S>[]> {
  const names = await readdir(directory).catch(() => [] as string[]);
  const found: z.output<S>[] = [];
  for (const name of names.filter((n) => n.endsWith(".json")).sort()) {
    const value = await readJson(join(directory, name), schema);
    if (value !== null) found.push(value);
  }
  return found;
}

/** Removes what a killed predecessor was just writing. Only before anything is written. */
export async function removeUnfinished(directory: string): Promise<void> {
  const names = await readdir(directory).catch(() => [] as string[]);
  for (const name of names) if (name.endsWith(UNFINISHED)) await removeFile(join(directory, name));
}

export async function removeFile(path: string): Promise<void> {
  await rm(path, { force: true });
}
