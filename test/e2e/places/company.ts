/** A small company's hosts and volumes, with all that can be wrong with them. Ids are fixed: addresses hold them. */
import type { CacheLocation, Volume } from "@/server/core/contracts/volume";

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

/** The one-time link of the administrator. */
export const invitation = "the link of the administrator";

export const hosts = {
  db01: {
    ...{ id: "11111111-0000-4000-8000-000000000001", key: "key-of-db01", hostname: "db01.example.net" },
    kernel: "6.1.0-31-amd64",
  },
  web01: {
    ...{ id: "11111111-0000-4000-8000-000000000002", key: "key-of-web01", hostname: "web01.example.net" },
    kernel: "6.18.15+deb13-amd64",
  },
  /** Away since last night. */
  mail01: {
    ...{ id: "11111111-0000-4000-8000-000000000003", key: "key-of-mail01", hostname: "mail01.example.net" },
    kernel: "5.14.0-503.el9.x86_64",
  },
} as const;
export type HostName = keyof typeof hosts;

const volume = (mount: string, more: Partial<Volume> & Pick<Volume, "sizeBytes" | "usedBytes">): Volume => ({
  name: mount,
  mount,
  device: "/dev/ublkb0",
  transport: "ublk",
  source: `/dev/vg0/${mount.slice(1).replaceAll("/", "-")}`,
  fsType: "ext4",
  provider: "engine",
  state: "attached",
  practice: false,
  writer: false,
  ...more,
});

/** As the engine says it of a host with an older kernel. */
const byLoop = (device: string) => ({
  device,
  transport: "fuse_loop",
  notUblkBecause:
    "before Linux 6.15 the ublk driver can crash the machine when an engine is killed (CVE-2025-37906); " +
    `this is ${hosts.db01.kernel}`,
});

export const volumes: Record<HostName, Volume[]> = {
  db01: [
    volume("/home", { sizeBytes: 200 * GIB, usedBytes: 121 * GIB, ...byLoop("/dev/loop2") }),
    volume("/srv/documents", { sizeBytes: 2048 * GIB, usedBytes: 1893 * GIB, fsType: "xfs", ...byLoop("/dev/loop1") }),
    volume("/var/lib/postgresql", { sizeBytes: 800 * GIB, usedBytes: 488 * GIB, ...byLoop("/dev/loop0") }),
  ],
  web01: [
    volume("/srv/www", { sizeBytes: 120 * GIB, usedBytes: 31 * GIB, fsType: "xfs" }),
    volume("/var/log", {
      ...{ sizeBytes: 40 * GIB, usedBytes: 22 * GIB, state: "available", provider: "none" },
      ...{ device: "/dev/vg0/var-log", transport: undefined },
    }),
    volume("practice", {
      ...{ sizeBytes: 512 * MIB, usedBytes: 96 * MIB, practice: true, writer: true },
      ...{ mount: "/var/lib/stillframe/mnt/practice", source: "/var/lib/stillframe/practice/practice.img" },
      device: "/dev/ublkb1",
    }),
  ],
  mail01: [
    volume("/var/mail", {
      ...{ sizeBytes: 500 * GIB, usedBytes: 377 * GIB, state: "unreachable" },
      ...{ device: "/dev/loop0", transport: undefined },
    }),
  ],
};

export const locations: Record<HostName, CacheLocation[]> = {
  db01: [
    {
      ...{ path: "/var/lib/stillframe/cache", mount: "/var", totalBytes: 100 * GIB, freeBytes: 41 * GIB },
      ...{ reservedBytes: 9 * GIB, usedBytes: Math.round(6.2 * GIB) },
      snapshots: ["/home", "/srv/documents", "/var/lib/postgresql"],
      orphans: [],
    },
    {
      ...{ path: "/mnt/scratch/stillframe", mount: "/mnt/scratch", totalBytes: 900 * GIB, freeBytes: 18 * GIB },
      ...{ reservedBytes: 0, usedBytes: 0 },
      snapshots: [],
      orphans: [
        { path: "/mnt/scratch/stillframe/cow-4f1c-home.cache", sizeBytes: Math.round(2.4 * GIB) },
        { path: "/mnt/scratch/stillframe/cow-90aa-srv-documents.cache", sizeBytes: Math.round(11.8 * GIB) },
      ],
    },
  ],
  web01: [
    {
      ...{ path: "/var/lib/stillframe/cache", mount: "/", totalBytes: 60 * GIB, freeBytes: 37 * GIB },
      ...{ reservedBytes: 0, usedBytes: 0 },
      snapshots: [],
      orphans: [],
    },
  ],
  mail01: [],
};
