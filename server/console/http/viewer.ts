import type { IncomingMessage } from "node:http";
import { fromNodeHeaders } from "better-auth/node";
import type { Viewer } from "../routers/procedures";
import type { Auth } from "../services/accounts/auth";

/** Who sent the request, by its session cookie. */
export async function viewerOf(auth: Auth, request: IncomingMessage): Promise<Viewer | null> {
  const headers = fromNodeHeaders(request.headers);
  const look = () => auth.api.getSession({ headers });
  const session = await look();
  if (!session) return null;
  const { name, email } = session.user;
  return { name, email, alive: async () => (await look()) !== null };
}
