import { createTransport } from "nodemailer";
import type { Message, Target } from "@/server/core/contracts/notifications";
import { type Answer, answered, unreachable } from "./answer";
import { PATIENCE_MS } from "./http-post";

/** A mail in plain text, to all recipients at once. The same delivery keeps its message id, so that a repeated one can be told. */
export async function sendEmail(
  { host, port, security, user, from, to }: Target & { kind: "email" },
  password: string | null,
  id: string,
  { title, lines, link }: Message,
  signal: AbortSignal,
): Promise<Answer> {
  const transport = createTransport({
    host,
    port,
    secure: security === "tls",
    requireTLS: security === "starttls",
    ignoreTLS: security === "none",
    ...(user !== null && { auth: { user, pass: password ?? "" } }),
    connectionTimeout: PATIENCE_MS,
    greetingTimeout: PATIENCE_MS,
    socketTimeout: PATIENCE_MS,
    dnsTimeout: PATIENCE_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const closing = abortOf(signal);
  try {
    const sent = transport.sendMail({
      from: { name: "Stillframe", address: from },
      to: [...to],
      subject: title,
      text: `${lines.join("\n")}\n\n${link}\n`,
      messageId: `<${id}@stillframe.invalid>`,
      headers: { "Auto-Submitted": "auto-generated" },
    });
    const { response, rejected } = await Promise.race([sent, closing.rejection]);
    const refused = rejected.length > 0 ? ` (refused: ${rejected.map(String).join(", ")})` : "";
    return answered(true, response + refused);
  } catch (error) {
    const { response } = error as { response?: string };
    return response ? answered(false, response) : unreachable(error);
  } finally {
    closing.forget();
    transport.close();
  }
}

/** The library takes no signal: it is left to its own time-outs then. */
function abortOf(signal: AbortSignal): { rejection: Promise<never>; forget: () => void } {
  let abort = () => {};
  const rejection = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
  });
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort);
  return { rejection, forget: () => signal.removeEventListener("abort", abort) };
}
