/** A diagnostics bundle's archive: files without secrets, as a ZIP. */
import { strToU8, zip } from "fflate";
import { documentWithoutSecrets, withoutSecrets } from "@/server/core/text/secrets";

/** A text; a JSON document; or several, one a line. */
export type BundleFile = { name: string } & ({ text: string } | { document: unknown } | { lines: readonly unknown[] });

/** All below one directory, `root`. `known`: values that must appear nowhere. */
export function packBundle(root: string, files: readonly BundleFile[], known: readonly string[]): Promise<Uint8Array> {
  const entries = files.map((file) => [`${root}/${file.name}`, strToU8(contentOf(file, known))] as const);
  return new Promise((resolve, reject) => {
    zip(Object.fromEntries(entries), { level: 6 }, (error, data) => (error ? reject(error) : resolve(data)));
  });
}

function contentOf(file: BundleFile, known: readonly string[]): string {
  if ("text" in file) return withoutSecrets(file.text, known);
  if ("document" in file) return `${JSON.stringify(documentWithoutSecrets(file.document, known), null, 2)}\n`;
  return file.lines.map((line) => `${JSON.stringify(documentWithoutSecrets(line, known))}\n`).join("");
}
