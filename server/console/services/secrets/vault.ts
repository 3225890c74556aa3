/**
 * Secrets at rest: AES-256-GCM under a key derived from the console's key file, which is never in the database.
 * A sealed secret is bound to its context (which job's password it is): moved to another row it does not open.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";

const VERSION = "v1";
const IV_BYTES = 12;
const TAG_BYTES = 16;

export class Vault {
  readonly #master: string;

  constructor(master: string) {
    this.#master = master;
  }

  /** A key of its own for each purpose, hex. */
  derive(purpose: string): string {
    return this.#bytes(purpose).toString("hex");
  }

  seal(plain: string, context: string): string {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv("aes-256-gcm", this.#bytes("seal"), iv).setAAD(Buffer.from(context));
    const sealed = Buffer.concat([iv, cipher.update(plain, "utf8"), cipher.final(), cipher.getAuthTag()]);
    return `${VERSION}.${sealed.toString("base64url")}`;
  }

  /** Throws when the secret was changed, sealed for another context or under another key. */
  open(sealed: string, context: string): string {
    const [version, body] = sealed.split(".");
    if (version !== VERSION || !body) throw new Error("not a sealed secret");
    const bytes = Buffer.from(body, "base64url");
    const iv = bytes.subarray(0, IV_BYTES);
    const tag = bytes.subarray(-TAG_BYTES);
    const decipher = createDecipheriv("aes-256-gcm", this.#bytes("seal"), iv, { authTagLength: TAG_BYTES })
      .setAAD(Buffer.from(context))
      .setAuthTag(tag);
    return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]).toString("utf8");
  }

  #bytes(purpose: string): Buffer {
    return Buffer.from(hkdfSync("sha256", this.#master, "stillframe", purpose, 32));
  }
}
