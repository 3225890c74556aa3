/** The console's own certificate: read and checked when it starts, and again whenever its files change. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync, unwatchFile, watchFile } from "node:fs";
import type { Server } from "node:https";
import type { Logger } from "pino";

/** Files in PEM. The certificate's may hold the chain too. */
export type CertificateFiles = { certificate: string; key: string };
export type KeyPair = { cert: string; key: string };

/** Renewals are noticed so soon, also where a link is moved to another file. */
const LOOK_MS = 2_000;

/** Throws an error that names the file that is wrong. */
export function readKeyPair(files: CertificateFiles): KeyPair {
  const cert = read(files.certificate, "certificate");
  const key = read(files.key, "key");
  const certificate = parsed(files.certificate, "certificate in PEM", () => new X509Certificate(cert));
  const privateKey = parsed(files.key, "private key in PEM without a passphrase", () => createPrivateKey(key));
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new Error(`the key in ${files.key} does not belong to the certificate in ${files.certificate}`);
  }
  if (Date.parse(certificate.validTo) < Date.now()) {
    throw new Error(`the certificate in ${files.certificate} ended on ${certificate.validTo}`);
  }
  return { cert, key };
}

/** Serves what the files hold from now on; a bad pair is logged, and the one before goes on. Returns how to stop. */
export function followFiles(files: CertificateFiles, server: Server, log: Logger): () => void {
  const reload = () => {
    try {
      server.setSecureContext(readKeyPair(files));
      log.info({ certificate: files.certificate }, "the certificate was read again");
    } catch (error) {
      log.error({ err: error }, "the changed certificate is not used: the one before stays");
    }
  };
  const watched = [files.certificate, files.key];
  for (const file of watched) watchFile(file, { interval: LOOK_MS, persistent: false }, reload);
  return () => {
    for (const file of watched) unwatchFile(file, reload);
  };
}

function read(file: string, what: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new Error(`the ${what} in ${file} cannot be read: ${(error as Error).message}`);
  }
}

function parsed<T>(file: string, what: string, parse: () => T): T {
  try {
    return parse();
  } catch {
    throw new Error(`${file} does not hold a ${what}`);
  }
}
