import { type Article, code, heading, paragraph } from "../article";

export const article: Article = {
  title: "A volume that cannot be snapshotted",
  summary: "No way of making a snapshot fits the volume, and the job does not allow reading it live.",
  blocks: [
    paragraph(
      "A snapshot needs writes to pass through something that can keep the old contents. For an ordinary partition or image that is Stillframe's engine, and a volume gets it by being attached. A volume that is only mounted cannot be snapshotted.",
    ),
    heading("What to do"),
    paragraph(
      "Attach it. A volume that is mounted now has to be unmounted for a moment, so that it can come back through the engine:",
    ),
    code(
      "stillframe volume list\nstillframe volume attach /dev/sdb1 --mount /srv/data\nstillframe volume attach /srv/data --remount",
    ),
    paragraph(
      "Or allow the job to read the volume without a snapshot. Files that change while they are read may then be torn; the result of the run carries a warning that names the volume, every time.",
    ),
    heading("What one at a time changes"),
    paragraph("Only this volume fails, and the others are backed up. All at once, a group is all or nothing."),
  ],
};
