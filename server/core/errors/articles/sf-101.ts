import { type Article, heading, list, paragraph } from "../article";

export const article: Article = {
  title: "The freeze took too long, and was let go",
  summary: "The file systems were not all frozen and snapshotted within the deadline, so none was.",
  blocks: [
    paragraph(
      "While file systems are frozen, every program that writes to them waits. That must stay short, so a freeze has a deadline (ten seconds unless set), and an independent guardian lifts the freeze when it passes, whatever has become of the rest. A snapshot whose freeze was lifted early could mix two instants: it is reported as not taken, never as taken.",
    ),
    heading("Telling the causes apart"),
    list(
      "One file system took nearly all the time: it had much unwritten data, or its disk is slow. The table of times names it.",
      "All were slow: the host is short of memory or its disks are saturated.",
      "One never froze: an operation on it does not end, for example on a network or a failing disk.",
    ),
    heading("What to do"),
    paragraph(
      "Rerun: unwritten data is flushed before each freeze, so a second attempt right after the first has less to do. If the same file system blocks again, put it in a job of its own, so that others need not wait for it.",
    ),
    heading("What one at a time changes"),
    paragraph("Each freeze covers one file system only, and is as short as that one allows. The instants differ."),
  ],
};
