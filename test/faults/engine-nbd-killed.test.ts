/** The engine is killed under NBD clients: they connect again to the same socket, and nothing that was answered is lost. */
import { once } from "node:events";
import { appendFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { AttachedVolume, MIB, scratchDirectory } from "../fixtures/attached-volume";
import { BackgroundProgram } from "../fixtures/background-program";
import { cleanupAfterEach } from "../fixtures/cleanup";
import { hashOf } from "../fixtures/device-hash";
import { keeperOf } from "../fixtures/engine-process";
import { pause } from "../fixtures/native-program";
import { mustTalk, nbdUri } from "../fixtures/nbd";
import { NbdWriter } from "../fixtures/nbd-writer";
import { makeCertificates } from "../fixtures/tls-certificates";

const KILLS = 20;
const BYTES = 32 * MIB;
const cleanup = cleanupAfterEach();
let directory: string;
let volume: AttachedVolume;

beforeEach(async () => {
  directory = await scratchDirectory(cleanup);
  volume = await AttachedVolume.attach(cleanup, directory, "vol", BYTES);
});

async function killSometimes(times: number): Promise<void> {
  for (let kill = 1; kill <= times; kill += 1) {
    process.kill(await volume.enginePid(), "SIGKILL");
    await pause(30 + Math.random() * 150);
  }
}

describe("kills of the engine under NBD clients", () => {
  it(`lose no answered write in ${KILLS} kills with writes in flight, and leave the image what it was`, async () => {
    await volume.request("serveNbd", { live: "readWrite", allSnapshots: true });
    const writer = new NbdWriter(cleanup, `${volume.runDirectory}/nbd.sock`, "live", BYTES, 16);
    await writer.until(200);
    await writer.pause();
    await volume.prepare("s1", { skipFreeBlocks: false });
    await volume.activate("s1");
    const truth = await hashOf(volume.image);
    writer.resume();
    await killSometimes(KILLS);
    await writer.until(writer.answered + 200);
    await writer.pause();
    expect(writer.connected).toBeGreaterThan(KILLS / 2);
    expect(writer.turnedAway).toBe(0);
    const copy = join(directory, "live.img");
    await mustTalk("nbdcopy", nbdUri(volume, "live"), copy);
    expect(await writer.wrongBlocks(copy)).toEqual([]);
    const frozen = join(directory, "frozen.img");
    await mustTalk("nbdcopy", nbdUri(volume, "s1"), frozen);
    expect(await hashOf(frozen)).toBe(truth);
    expect((await volume.describe()).nbd).toMatchObject({ live: "readWrite", snapshots: ["s1"] });
  });

  it("are waited out by qemu with a reconnect delay, which reads the image of the instant", async () => {
    await mustTalk("dd", "if=/dev/urandom", `of=${volume.device}`, "bs=1M", "count=32", "oflag=direct");
    const truth = await hashOf(volume.image);
    await volume.prepare("s1", { skipFreeBlocks: false });
    await volume.activate("s1");
    await volume.request("serveNbd", { snapshots: ["s1"] });
    const load = new BackgroundProgram(cleanup, "fio", [
      ...["--name=load", `--filename=${volume.device}`, "--rw=randwrite", "--bs=4k", "--direct=1", "--rate=,4m,"],
      ...["--ioengine=libaio", "--thread", "--time_based", "--runtime=600", "--eta=never", "--output-format=terse"],
    ]);
    const copy = join(directory, "copy.img");
    const socket = `server.type=unix,server.path=${volume.runDirectory}/nbd.sock`;
    const image = `driver=nbd,${socket},export=s1,reconnect-delay=30`;
    const converting = mustTalk("qemu-img", "convert", "-r", "8M", "--image-opts", "-O", "raw", image, copy);
    await killSometimes(8);
    await converting;
    expect(await hashOf(copy)).toBe(truth);
    expect(load.running, load.output).toBe(true);
  });

  it("are outlived by a process in the middle of a handshake: whoever connects is served", async () => {
    await volume.request("serveNbd", { live: "readOnly" });
    process.kill(await volume.enginePid(), "SIGKILL");
    const sizes = await Promise.all(
      Array.from({ length: 8 }, () => mustTalk("nbdinfo", "--size", nbdUri(volume, "live"))),
    );
    expect(new Set(sizes)).toEqual(new Set([`${BYTES}\n`]));
  });

  it("never serve without TLS what was to be served with it and could not be kept for the next engine", async () => {
    const port = await freePort();
    const keys = await makeCertificates(join(directory, "keys"));
    await appendFile(keys.serverCertificate, `${"# a long chain\n".repeat(400)}`);
    const tls = { certificate: keys.serverCertificate, key: keys.serverKey, authorities: keys.authority };
    await volume.request("serveNbd", { live: "readOnly" });
    await mustTalk("perl", "-e", LITTLE_ROOM, String(keeperOf(volume.runDirectory)));
    const refused = volume.request("serveNbd", { tcp: { address: "127.0.0.1", port, tls } });
    await expect(refused).rejects.toThrow(/keeping NBD's sockets/);
    await volume.request("serveNbd", { live: "readWrite" });
    process.kill(await volume.enginePid(), "SIGKILL");
    expect(await mustTalk("nbdinfo", "--size", nbdUri(volume, "live"))).toBe(`${BYTES}\n`);
    await expect(mustTalk("nbdinfo", "--size", `nbd://127.0.0.1:${port}/live`)).rejects.toThrow(/refused/);
  });
});

/** Leaves little room where a keeper has NBD's sockets for the next engine: 110 is the end that engines write to. */
const LITTLE_ROOM = `
my $process = syscall(434, int($ARGV[0]), 0); # pidfd_open
my $number = syscall(438, $process, 110, 0); # pidfd_getfd
open(my $shelf, "+<&=", $number) or die "no shelf: $!";
setsockopt($shelf, 1, 7, pack("i", 1)) or die "$!"; # SO_SNDBUF
`;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
