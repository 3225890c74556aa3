import { type Answer, answered, unreachable } from "./answer";

export const PATIENCE_MS = 15_000;
const MOST_READ_BYTES = 4096;

export type Post = { url: string; headers: Record<string, string>; body: string };

/** Posts, follows no redirection (it could lead a secret elsewhere), and tells what the receiver answered. */
export async function httpPost({ url, headers, body }: Post, signal: AbortSignal): Promise<Answer> {
  const late = AbortSignal.timeout(PATIENCE_MS);
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", "user-agent": "Stillframe", ...headers },
      body,
      redirect: "manual",
      signal: AbortSignal.any([signal, late]),
    });
    const said = await beginning(response);
    const line = [`HTTP ${response.status}`, response.statusText, said && `: ${said}`].filter(Boolean).join(" ");
    return answered(response.ok, line.replace(" : ", ": "), retryAfterOf(response));
  } catch (error) {
    if (late.aborted) return answered(false, `no answer within ${PATIENCE_MS / 1000} s`);
    return unreachable(error);
  }
}

/** Only the beginning: a receiver may answer without end. */
async function beginning(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    parts.push(part);
    bytes += part.length;
    if (bytes >= MOST_READ_BYTES) break;
  }
  return Buffer.concat(parts).toString("utf8").trim();
}

/** Seconds; the form as a date is rare and passed over. */
function retryAfterOf(response: Response): number | null {
  const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : null;
}
