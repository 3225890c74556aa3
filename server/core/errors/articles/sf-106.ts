import { type Article, code, heading, paragraph } from "../article";

export const article: Article = {
  title: "The run was interrupted",
  summary: "The worker or its host restarted while the run was going on, or the worker met an unforeseen error.",
  blocks: [
    paragraph(
      "A run lives in the worker. When the worker or the host goes down, the run cannot go on: its snapshots are released and its mounts and caches removed as soon as the worker is up again. The evidence lists what was cleaned up. The live volumes were not affected.",
    ),
    heading("Telling the causes apart"),
    paragraph(
      "If the host restarted, its uptime is shorter than the run's age. If only the worker did, the host's log says who stopped it: an administrator, an upgrade, or the kernel because memory ran out. If neither did, the worker met an error that it had not foreseen, most often of the disk that holds its state; the failure shows it, and the worker's log says where it came from.",
    ),
    code("uptime -s\njournalctl --dmesg | grep -i 'out of memory'"),
    heading("What to do"),
    paragraph(
      "Rerun. What restic had already stored is not sent again. A backup that ends before it is complete leaves no snapshot in the repository, so an interrupted run can never be mistaken for a good one.",
    ),
    heading("What one at a time changes"),
    paragraph("Volumes that were finished before the interruption stay backed up; only the present one is lost."),
  ],
};
