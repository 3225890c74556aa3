import { type Article, code, heading, list, paragraph } from "../article";

export const article: Article = {
  title: "The cache could not be read back",
  summary: "A saved block was unreadable or not what had been written, so the snapshot was released.",
  blocks: [
    paragraph(
      "Each block in the cache has a checksum. When one does not match, or cannot be read, the frozen image would be wrong in that place. A wrong backup is worse than none: the snapshot is released, and the run fails. The live volume does not depend on the cache and is whole.",
    ),
    heading("Telling the causes apart"),
    list(
      "An error number or kernel messages about the disk: the disk under the cache location is failing.",
      "A checksum that does not match, and no disk error: something wrote into the cache file, or memory is faulty.",
    ),
    code("journalctl --dmesg --since today | grep -iE 'error|ata|nvme'\nsmartctl -a /dev/DISK"),
    heading("What to do"),
    paragraph(
      "Choose a cache location on another disk and rerun. Do not put live data on the suspect disk until it has been checked.",
    ),
    heading("What one at a time changes"),
    paragraph("Nothing about the cause. Each snapshot is held for a shorter time, so fewer saved blocks are read."),
  ],
};
