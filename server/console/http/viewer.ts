import type { IncomingMessage } from "node:http";
import { fromNodeHeaders } from "better-auth/node";
import { roleSchema } from "@/server/core/contracts/role";
import type { Identity, Viewer } from "../routers/procedures";
import type { Auth } from "../services/accounts/auth";
import { hasEnded } from "../services/accounts/auth-hooks";

/** Who sent the request, by its session cookie. */
export async function viewerOf(auth: Auth, request: IncomingMessage): Promise<Viewer | null> {
  const headers = fromNodeHeaders(request.headers);
  const now = async (): Promise<Identity | null> => {
    const found = await auth.api.getSession({ headers });
    if (!found || hasEnded(found.session)) return null;
    const { id, name, email, role } = found.user;
    return { userId: id, sessionId: found.session.id, name, email, role: roleSchema.parse(role) };
  };
  const identity = await now();
  return identity && { ...identity, now };
}
