import { type Article, code, heading, list, paragraph } from "../article";

export const article: Article = {
  title: "Why a cache runs full, and what one at a time changes",
  summary: "The broker found no room for a cache file, or a cache reached its limit and its snapshot was released.",
  blocks: [
    paragraph(
      "While a snapshot is open, every block that is overwritten for the first time has its old contents copied to a cache file, so that the frozen image stays as it was. The cache therefore grows with what changes during the backup, not with the size of the volume. Blocks that were free when the snapshot was taken cost nothing: new files and growing logs do not fill the cache, overwriting existing data does.",
    ),
    paragraph(
      "When a cache cannot grow any further, the live volume wins: the snapshot is released, the write goes through, and the application notices nothing. What is lost is the rest of this backup.",
    ),
    heading("Before the snapshot, or during it"),
    list(
      "“No location had room”: nothing was frozen. Each place where caches may be kept was turned down, and the evidence says why: too little free space, on a volume of the same job, not writable, not allowed.",
      "“Reached its maximum”: the cache took all that the job allows. The fill curve shows how fast. A straight line means a steady load; a step means that something large was rewritten, such as a database vacuum or a log rotation that copies.",
      "“The disk ran full”: the limit was not reached, but other files took the space that the cache would have grown into.",
      "“Could not be written”: the disk under the cache reported an error. Look at the kernel's messages before anything else.",
    ),
    heading("What one at a time changes"),
    paragraph(
      "By default a job freezes all its volumes at one instant and holds all their caches until the last volume is backed up. A volume that is read last collects changes for the whole run. Processed one at a time, each volume is frozen, backed up and released before the next is frozen: only one cache exists, and only for as long as its own volume is read. The room needed falls from the sum of all to the largest single one.",
    ),
    paragraph(
      "The price is the common instant. Files on different volumes then come from different moments. For a database whose data and log lie on different volumes this matters: keep those all at once, or keep them on one volume. For independent volumes it does not.",
    ),
    code("stillframe settings set --one-at-a-time on      # every job that does not say otherwise"),
    heading("Other ways out"),
    list(
      "Raise the maximum, if the location has room. A cache on a disk other than the volumes may by default take 30 % of its free space.",
      "Allow another location, best on a different disk: it also takes the copying off the volume's own disk.",
      "Hold writers, if what writes may stand still for some seconds: a write that finds the cache full waits for room, and only when none comes is the snapshot released. It helps against short bursts and while room is being made, not against a load that goes on.",
      "Remove orphaned cache files, if the cache page lists any. They remain after a power cut and are removed at the worker's start.",
      "Run the job when less is overwritten, or make it shorter: the second run to a restic repository reads the same but writes much less.",
    ),
  ],
};
