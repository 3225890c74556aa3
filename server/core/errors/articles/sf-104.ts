import { type Article, heading, list, paragraph } from "../article";

export const article: Article = {
  title: "A hook failed or did not answer",
  summary: "A command that a job runs around the freeze ended with an error, or not in time.",
  blocks: [
    paragraph(
      "A hook brings an application to rest before the freeze, and lets it go afterwards. If the hook fails, the application may not be at rest, and the snapshot would not be what the job promises: so none is taken.",
    ),
    heading("Telling the causes apart"),
    list(
      "An exit code: the command ran and refused. Its output says why, most often a missing login or a wrong path.",
      "No exit code: the command did not end within its time and was stopped. It may have waited for an answer that nobody could give: hooks have no terminal.",
    ),
    heading("What to do"),
    paragraph(
      "Run the hook by hand, as root, with an empty environment, until it works. Then rerun the job. Whatever a failed hook had already held is released: the release hook runs in every case.",
    ),
    heading("What one at a time changes"),
    paragraph("Hooks run for each volume, so a failure concerns that volume only, and each hold is shorter."),
  ],
};
