import { type Article, code, heading, list, paragraph } from "../article";

export const article: Article = {
  title: "The backup program failed",
  summary: "The snapshot was good, but restic or the job's command ended with an error.",
  blocks: [
    paragraph(
      "The volumes were frozen and mounted as they should be; the program that reads them said no. Its exit code and its last lines are the evidence, and its own words are the best description there is.",
    ),
    heading("What restic's words mean"),
    list(
      "“wrong password or no key found”: the job's password is not the repository's. Enter it again in the job.",
      "“Is there a repository at the following location?”: the path is wrong, or its disk is not mounted.",
      "“repository is already locked”: another restic is at work there, or one died and left its lock.",
      "“no space left on device”: the destination is full. Forget old backups and prune.",
    ),
    code("restic -r REPOSITORY unlock     # only when no other restic runs\nrestic -r REPOSITORY check"),
    heading("For a command of your own"),
    paragraph(
      "It is run by /bin/sh as root, sees the frozen images at the volumes' own paths, and finds those paths in STILLFRAME_PATHS, one on a line. Exit code 127 means that the shell did not find it: give the full path. Anything it prints is kept in the run's log.",
    ),
    heading("What one at a time changes"),
    paragraph("The program is run once for each volume. A failure on one volume then leaves the others backed up."),
  ],
};
