import { type Article, code, heading, list, paragraph } from "../article";

export const article: Article = {
  title: "No quiet window: what a quiet time is for, and when to do without",
  summary: "Within the time-out there was no gap between writes as long as the job's minimum quiet time.",
  blocks: [
    paragraph(
      "Before it freezes a volume, a job can wait for a moment in which nobody writes. An application that writes several files in turn is then less likely to be caught between two of them. The engine sees every write, so a gap is measured and not guessed.",
    ),
    paragraph(
      "The window is a courtesy and not what makes the image consistent. Whether or not one was found, the file system is flushed and frozen for the instant of the snapshot, so the image is what a database or journal recovers from after a power cut, and it mounts cleanly.",
    ),
    heading("Telling the causes apart"),
    list(
      "The longest gap is a little below the minimum: the minimum is too ambitious for this volume. Use the longest gaps that were seen.",
      "The longest gap is a few milliseconds and one program writes hundreds of times a second: there is no quiet time to be had while it runs. Take the snapshot anyway, or pause the program around it.",
      "Each volume has gaps, but never at the same time: all at once needs one gap on all volumes of the job together.",
      "The time-out is not much longer than the minimum: a gap may simply not have come yet.",
    ),
    heading("What to do"),
    paragraph(
      "For a transactional database, choose “take the snapshot anyway” with a short time-out: its own journal covers the instant. For programs without a journal that write sets of files, keep the minimum and move the job to an hour when they rest.",
    ),
    paragraph(
      "Where the writes are of no matter for the backup, such as a log or an index that is built anew, name the files or their directories among the job's ignored paths: writes to them no longer count, and they are backed up all the same. The evidence shows who wrote to what, and the action “Ignore writes to these paths” takes them from there.",
    ),
    code("stillframe job create --file job.json    # openFile.quiet: minimumMs, timeoutMs, atTimeout, ignorePaths"),
    heading("What ignoring a path does, and does not"),
    list(
      "It is a file, or a directory with all that is below it, also what comes later: a directory covers logs that are rotated. A file that has another name outside (a hard link) is not covered by it, and neither is what a symbolic link leads to.",
      "Each write that reaches the volume is held against the places of the ignored files. What is not wholly theirs, or the file system's own, counts, however it was written. A change of any other file counts from the moment it is made, before it is written back.",
      "It changes nothing but the wait: the files are in the snapshot and in the backup, as they are at its instant.",
      "Where it cannot be told whose a write is, all writes count, and the run's log says why: on file systems other than ext4 and xfs, on ext4 with data=journal or inline_data, before Linux 5.9, and with more than 100,000 files below the paths. On xfs without a reverse map (rmapbt) the file system's own trees count too, which costs a window now and then.",
      "The counts beside a program are changes that were seen, at least so many. Without a count it only has files open for writing; what it writes through a mapping or by asynchronous I/O is measured, but not by name.",
    ),
    heading("What one at a time changes"),
    paragraph(
      "Each volume then waits for a gap of its own, which comes far sooner than a gap common to all. The instants of the volumes differ.",
    ),
  ],
};
