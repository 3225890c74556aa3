/** The option that gives a field of a job or a snapshot: who wrote `--cache-max` does not know `openFile.cache.maxBytes`. */
const optionOfField: Readonly<Record<string, string>> = {
  "selection.volumes": "--volume",
  "selection.paths": "--path",
  "selection.excludes": "--exclude",
  "destination.repository": "--restic",
  "destination.command": "--command",
  password: "--password-file",
  "openFile.quiet.minimumMs": "--min-quiet",
  "openFile.quiet.timeoutMs": "--quiet-timeout",
  "openFile.quiet.ignorePaths": "--ignore-path",
  "openFile.cache.location": "--cache-location",
  "openFile.cache.initialBytes": "--cache-initial",
  "openFile.cache.maxBytes": "--cache-max",
  "openFile.cache.holdMs": "--hold",
};

/** `--option (field)`, so that it can be found in a file of `--file` too; the field alone where no option gives it. */
export function namedField(field: string): string {
  const option = optionOfField[field.replace(/\.\d+$/, "")];
  return option === undefined ? field : `${option} (${field})`;
}
