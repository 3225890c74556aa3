import { type Article, code, heading, list, paragraph } from "../article";

export const article: Article = {
  title: "A worker or an engine does not answer",
  summary: "The console cannot reach a host's worker, or a worker cannot reach the engine of a volume.",
  blocks: [
    paragraph(
      "Three programs talk to each other: the console, one worker on each host, and one engine for each attached volume. The worker dials the console, so the console needs no way in to the host. The engine is a process of its own that outlives the worker: a volume whose worker is gone is still mounted and still written to, it only cannot be snapshotted.",
    ),
    paragraph(
      "The message speaks of a reinstallation because its ancestor did. It is hardly ever necessary: find out which of the three does not answer, and restart that one.",
    ),
    heading("A worker does not answer"),
    list(
      "Its process is absent: it was stopped, or the host is down. Start it, and read the end of its log for the reason.",
      "It runs but has lost the console: a network between them, a proxy that closes WebSockets, or a host key that was replaced. It reconnects by itself, and delivers what happened meanwhile.",
      "The command line says it cannot reach the worker: the socket is missing, or you are not root.",
    ),
    code("stillframe doctor\nls -l /run/stillframe/worker.sock"),
    heading("An engine does not answer"),
    list(
      "Absent or zombie: its keeper starts the next one within moments, and requests in flight are served again. If it has given up, the engine's log says what killed it ten times.",
      "Its keeper and every engine gone together, as after killing them all by name: over ublk the volume waits, and the worker takes it up again within seconds, still mounted. Over FUSE it answers nothing but errors; restarting the engine unmounts it, attaches it anew and mounts it again. Either way its data is whole and its open snapshots are lost.",
      "Running, but silent: it may wait for a disk that does not answer. The kernel's messages name the disk.",
      "Different versions: after an upgrade the engine of an attached volume is still the old one until it is restarted.",
    ),
    paragraph(
      "Restarting an engine is safe on a mounted volume: writers wait for the moment that it takes, and see no error. Open snapshots stay.",
    ),
    heading("What one at a time changes"),
    paragraph(
      "Nothing about a part that is not running. Where an engine dies because memory is short while many volumes are held at once, one at a time asks for less.",
    ),
  ],
};
