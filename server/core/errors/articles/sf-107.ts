import { type Article, code, heading, paragraph } from "../article";

export const article: Article = {
  title: "A scheduled run did not start",
  summary: "The time of a job's schedule came, and until its grace was over the run could not be started.",
  blocks: [
    paragraph(
      "The console starts what is scheduled. When a run cannot start at its time, it is started as soon as it can be, as long as that is within the grace that the job's schedule gives it. After that it counts as missed: no backup was made for that time, and the next one is made at the next time of the schedule. However many times passed meanwhile, they are told as one failure. A host that cannot be reached is told by a code of its own, OFO-COMM.",
    ),
    heading("Telling the causes apart"),
    paragraph(
      "Either the console itself was not running at the time, which its log shows by a gap and a new beginning; or the job was in its own way, its last run still being on, or another job's run held one of its volumes for longer than the grace. The evidence names that run.",
    ),
    code("journalctl --list-boots\nstillframe run list"),
    heading("What to do"),
    paragraph(
      "Run the job now if you need the backup before its next time. If the console's machine is regularly off at that hour, choose another hour or a longer grace. If runs take longer than the time between them, let them start less often, or give jobs that share a volume times further apart. A job that is paused is never missed: it has no next run until it is continued.",
    ),
    heading("What one at a time changes"),
    paragraph(
      "Nothing about when a run starts. But a job that processes its volumes one at a time takes longer, and a job that shares a volume with it waits until the whole run is over.",
    ),
  ],
};
