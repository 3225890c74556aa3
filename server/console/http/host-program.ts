/** What runs on a host, as one archive: worker, command line and engine of this very installation. */
import { spawn } from "node:child_process";
import type { ServerResponse } from "node:http";
import { arch } from "node:os";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { Logger } from "pino";
import { programRoot } from "../program-root";

const parts = [
  "package.json",
  "LICENSE",
  "dist/cli.js",
  "dist/worker.js",
  "native/target/release/stillframe-engine",
  "native/target/release/stillframe-freeze",
  "native/target/release/stillframe-watch",
];

/** As `uname -m` calls it. */
export function hostMachine(): string {
  return { x64: "x86_64", arm64: "aarch64" }[arch() as "x64" | "arm64"] ?? arch();
}

/** Streams a `.tar.gz`. One that breaks off ends the connection, so that nobody takes a part for the whole. */
export async function sendHostProgram(response: ServerResponse, log: Logger): Promise<void> {
  const tar = spawn("tar", ["-c", "--owner=0", "--group=0", "--numeric-owner", "-C", programRoot(), ...parts], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let told = "";
  tar.stderr.on("data", (text) => {
    told += text;
  });
  const ended = new Promise<number | null>((resolve) => {
    tar.once("error", (error) => {
      told += error.message;
      resolve(null);
    });
    tar.once("close", resolve);
  });
  response.writeHead(200, { "content-type": "application/gzip" });
  try {
    // The archive's end waits for the program's exit code.
    await pipeline(tar.stdout, createGzip({ level: 6 }), response, { end: false });
    const code = await ended;
    if (code !== 0) throw new Error(`tar ended with ${code}: ${told.trim()}`);
    response.end();
  } catch (error) {
    log.error({ err: error }, "the program could not be sent to a machine that joins");
    tar.kill();
    response.destroy();
  }
}
