/**
 * The worker's local socket (`/run/stillframe/worker.sock`, mode 0600): one JSON object a line.
 * A request `{id, method, params}` gets one reply with the same id. Methods are those of
 * `host-methods.ts`, and those of `console-methods.ts` with `console.` before their name.
 */
import { z } from "zod";
import { faultSchema } from "./link";

export const socketRequestSchema = z.object({ id: z.number().int(), method: z.string(), params: z.unknown() });
export const socketReplySchema = z.union([
  z.object({ id: z.number().int(), ok: z.literal(true), result: z.unknown() }),
  z.object({ id: z.number().int(), ok: z.literal(false), fault: faultSchema }),
]);
export type SocketRequest = z.infer<typeof socketRequestSchema>;
export type SocketReply = z.infer<typeof socketReplySchema>;
