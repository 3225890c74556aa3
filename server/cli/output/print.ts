/** Facts go to standard output, everything else to standard error. */

/** Prints one JSON document, or text for people. */
export function printFacts(json: boolean, document: unknown, text: () => string): void {
  process.stdout.write(`${json ? JSON.stringify(document, null, 2) : text()}\n`);
}

export function printNote(text: string): void {
  process.stderr.write(`${text}\n`);
}
