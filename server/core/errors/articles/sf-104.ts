import { type Article, code, heading, list, paragraph } from "../article";

export const article: Article = {
  title: "A hook failed or did not answer",
  summary: "A program that a job runs around the freeze ended with an error, or not in time.",
  blocks: [
    paragraph(
      "A hook brings an application to rest before the freeze, and lets it go afterwards. If the hook fails, the application may not be at rest, and the snapshot would not be what the job promises: so none is taken. A job can also be told to only warn.",
    ),
    heading("The four moments"),
    list(
      "pre-freeze: runs to its end before anything is frozen, for instance a checkpoint of a database.",
      "freeze-hold: is started right before the freeze, prints a line READY when its application stands still, and is told to let go right after the instant: its standard input ends. If it has not ended 2 s later it gets the signal TERM. It must end with 0; anything else says that the hold did not last.",
      "post-snapshot: after that, before the backup, also when no snapshot could be taken (STILLFRAME_OUTCOME: taken, failed, cancelled, interrupted).",
      "post-run: once, at the end of the run, however it ends (succeeded, warnings, failed, cancelled, interrupted). If the worker was killed, its successor runs what is still owed; one that was killed while it ran is run again.",
    ),
    code(
      [
        "# freeze-hold for MySQL; what stands after cat fails if the session was lost",
        "(echo \"FLUSH TABLES WITH READ LOCK; SELECT 'READY';\"; cat; echo 'UNLOCK TABLES;') | mysql -N -n",
        "# and for SQLite; it waits up to 30 s for the lock, and ends at the first error",
        "(echo \"BEGIN IMMEDIATE; SELECT 'READY';\"; cat; echo 'ROLLBACK;') | sqlite3 -bail -cmd '.timeout 30000' app.db",
      ].join("\n"),
    ),
    heading("Telling the causes apart"),
    list(
      "Exit code 127 or 126: the program was not found, or may not run. Give its full path: PATH holds only the system's directories.",
      "Another exit code: the program ran and refused. Its output says why, most often a missing login or a server that does not run.",
      "No end in its time: it was stopped with all that it had started. It may have waited for an answer that nobody could give: hooks have no terminal, and nothing to read.",
      "Ended before the instant: a program that holds must stay until its standard input ends. One that ends by itself held nothing.",
    ),
    heading("What to do"),
    paragraph(
      "Run the hook alone from the failure's page or the job's form: no snapshot is taken, and its output is shown. It runs as root, in /, and gets nothing of the worker's environment; put passwords where the application's own programs look for them, such as /root/.my.cnf or /root/.pgpass, not into the command. Then rerun the job.",
    ),
    heading("On a volume that is frozen"),
    paragraph(
      "While a volume is frozen nobody can write to it, a hook neither. A program that holds and writes there waits for the thaw, which comes after some milliseconds and at its deadline at the latest: the freeze waits for no hook. So a hook can make a snapshot fail, but never keep a volume frozen.",
    ),
    heading("What one at a time changes"),
    paragraph(
      "Hooks run for each volume's snapshot, so a failure concerns that volume only, and each hold is shorter. But each volume then has an instant of its own: an application whose files lie on several volumes is held still at several instants, and they may not fit together.",
    ),
  ],
};
