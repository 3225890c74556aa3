import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { compressAnswer } from "@/server/console/http/compression";

const parts = ["[", '"the same again and again", '.repeat(5000), '"Ада"]'];
const server = createServer((request, response) => {
  compressAnswer(request, response);
  response.setHeader("content-type", "application/json");
  for (const part of parts) response.write(part);
  response.end();
});
let url = "";
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

/** As it comes over the wire: `fetch` would unpack it. */
function asked(method: string, accepts: string): Promise<{ encoding: string | undefined; body: Buffer }> {
  return new Promise((resolve, reject) => {
    request(url, { method, headers: { "accept-encoding": accepts } }, (answer) => {
      const body: Buffer[] = [];
      answer.on("data", (part) => body.push(part));
      answer.on("end", () => resolve({ encoding: answer.headers["content-encoding"], body: Buffer.concat(body) }));
    })
      .on("error", reject)
      .end();
  });
}

test("an answer to a question is a tenth of itself to those who take it compressed", async () => {
  const { encoding, body } = await asked("GET", "br, gzip");
  expect(encoding).toBe("gzip");
  expect(body.length).toBeLessThan(parts.join("").length / 10);
  expect(gunzipSync(body).toString()).toBe(parts.join(""));
});

test.each([
  ["a client that does not take it", "GET", "identity"],
  ["a change, whose answer may hold a secret", "POST", "gzip"],
])("it is left as it is for %s", async (_, method, accepts) => {
  const { encoding, body } = await asked(method, accepts);
  expect(encoding).toBeUndefined();
  expect(body.toString()).toBe(parts.join(""));
});
