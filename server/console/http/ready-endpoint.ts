/** `/readyz`: whether requests should be sent here. Open to anyone, so it says which check failed and not why. */
import type { ServerResponse } from "node:http";
import type { Logger } from "pino";
import type { Services } from "../services/services";

const WITHIN_MS = 5_000;

export async function answerReady(response: ServerResponse, { readiness }: Services, log: Logger): Promise<void> {
  const check = async (name: string, work: Promise<boolean>) => {
    const late = new Promise<never>((_, reject) => {
      setTimeout(reject, WITHIN_MS, new Error("no answer in time")).unref();
    });
    try {
      return { name, ok: await Promise.race([work, late]) };
    } catch (error) {
      log.error({ err: error, check: name }, "the console is not ready");
      return { name, ok: false };
    }
  };
  const checks = await Promise.all([check("database", readiness.answers()), check("migrations", readiness.migrated())]);
  const ok = checks.every((one) => one.ok);
  response.writeHead(ok ? 200 : 503, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(JSON.stringify({ ok, checks }));
}
