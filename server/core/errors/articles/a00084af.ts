import { type Article, code, heading, list, paragraph } from "../article";

export const article: Article = {
  title: "A selected path was not found, or could not be read",
  summary: "A file or directory that the job selects is missing from the frozen image, or reading it fails.",
  blocks: [
    paragraph(
      "A backup reads the frozen image at the volume's own path, so a selected path is looked up as it was at the instant of the snapshot. A path that is missing there is an error and not a warning: a job that silently backs up nothing is found out on the day of the restore.",
    ),
    heading("Telling the causes apart"),
    list(
      "Not there now either: it was renamed, moved or deleted, or a mount below the volume is missing. Compare the spelling, including upper and lower case.",
      "There now, but not in the image: it was created after the snapshot. The next run will have it.",
      "The snapshot was released during the run: then reading fails everywhere from that instant. The same run holds the real failure, usually a cache that ran full (a000851c). Fix that one.",
      "Permission denied, although the worker is root: an NFS export with root squash, or a security module's policy.",
      "Input/output error while the snapshot was open: the disk under the volume. Read the kernel's messages.",
    ),
    code("stillframe run show RUN\njournalctl --dmesg --since '1 hour ago'"),
    heading("What to do"),
    paragraph(
      "Show the selection and correct or remove the path, then rerun. Select the directory above it if the name changes from day to day, and exclude what is not wanted.",
    ),
    heading("What one at a time changes"),
    paragraph(
      "Nothing about a path that is missing. It helps when the snapshot had been released: with one volume at a time each snapshot is held for a shorter time, and its cache has the whole room to itself.",
    ),
  ],
};
