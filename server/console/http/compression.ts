import type { IncomingMessage, ServerResponse } from "node:http";
import { createGzip } from "node:zlib";

/** Lists shrink to a tenth already by this; more takes longer than it saves. */
const LEVEL = 3;

/**
 * What is written to the response from now on goes out compressed, if the client takes that. For answers to questions:
 * an answer to a change may hold a new secret beside what its sender chose.
 */
export function compressAnswer(request: IncomingMessage, response: ServerResponse): void {
  response.setHeader("vary", "accept-encoding");
  if (request.method !== "GET" || !/\bgzip\b/.test(String(request.headers["accept-encoding"]))) return;
  response.setHeader("content-encoding", "gzip");
  const gzip = createGzip({ level: LEVEL });
  const write = response.write.bind(response);
  const end = response.end.bind(response);
  gzip.on("data", (part: Buffer) => write(part));
  gzip.on("end", () => end());
  response.on("close", () => gzip.destroy());
  response.write = (part: string | Uint8Array) => {
    gzip.write(part);
    return true;
  };
  response.end = ((part?: string | Uint8Array) => {
    gzip.end(part);
    return response;
  }) as ServerResponse["end"];
}
