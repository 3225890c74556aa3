/** Serving a volume to NBD clients (qemu, nbdcopy, the kernel's own): what is asked for, and what is served. */
import { z } from "zod";
import { absolutePath } from "./job";

const tcpInput = z
  .object({
    /** An IP address. */
    address: z.union([z.ipv4(), z.ipv6()]),
    /** 0: any that is free. */
    port: z.number().int().min(0).max(65_535),
    /** PEM files of the server's certificate and key, and of the authorities that sign clients' certificates. */
    tls: z.object({ certificate: absolutePath, key: absolutePath, authorities: absolutePath }).strict(),
  })
  .strict();

/** The live volume with all its snapshots, or one snapshot alone. Adds to what is served already. */
export const nbdServeInput = z
  .object({
    volume: z.string().min(1).optional(),
    snapshot: z.string().min(1).optional(),
    /** The live volume can be written to; refused while it is mounted. */
    writable: z.boolean().default(false),
    tcp: tcpInput.optional(),
  })
  .strict()
  .refine((input) => (input.volume === undefined) !== (input.snapshot === undefined), {
    message: "name a volume or a snapshot",
  });

export const nbdStopInput = z.object({ volume: z.string().optional(), snapshot: z.string().optional() }).strict();

export const nbdServiceSchema = z.object({
  volume: z.string(),
  /** Path of the Unix socket. */
  socket: z.string(),
  tcp: z.object({ address: z.string(), port: z.number().int(), tls: z.boolean() }).nullable(),
  exports: z.array(z.object({ name: z.string(), readOnly: z.boolean(), uris: z.array(z.string()) })),
  /** Clients that are connected now. */
  connections: z.number().int().nonnegative(),
});
export type NbdService = z.infer<typeof nbdServiceSchema>;
