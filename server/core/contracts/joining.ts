/** How a machine becomes a host of a console. */
import { z } from "zod";

/** Made by an administrator, told once. `origin`: where people reach the console. */
export const hostInvitationSchema = z.object({ token: z.string(), expiresAt: z.iso.datetime(), origin: z.url() });
export type HostInvitation = z.infer<typeof hostInvitationSchema>;

/** `POST /api/join`, with the token as bearer. The key stays on the host: the console gets its SHA-256 in hexadecimal. */
export const joinRequestSchema = z
  .object({
    hostname: z.string().trim().min(1).max(253),
    keyHash: z.string().regex(/^[0-9a-f]{64}$/, "must be a SHA-256 in hexadecimal"),
  })
  .strict();

/** `name`: how the console calls it. */
export const joinedSchema = z.object({ hostId: z.string(), name: z.string() });
export type Joined = z.infer<typeof joinedSchema>;
