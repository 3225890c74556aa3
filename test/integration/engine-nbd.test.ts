/** Standard NBD clients read frozen images and use the live volume: qemu-img, qemu-io, nbdinfo, nbdcopy, fio. */
import { once } from "node:events";
import { rm, stat, writeFile } from "node:fs/promises";
import { createConnection } from "node:net";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { mustRun } from "@/server/worker/programs/run-program";
import { AttachedVolume, MIB, mustBeSound, scratchDirectory } from "../fixtures/attached-volume";
import { cleanupAfterEach } from "../fixtures/cleanup";
import { hashOf, manifestOf } from "../fixtures/device-hash";
import { mustFreeze } from "../fixtures/freeze-program";
import { deviceLoad, fileLoad } from "../fixtures/load";
import { engineCommand, pause } from "../fixtures/native-program";
import { extentsOf, mustTalk, nbdUri, qemuIo, verifiedNbdJob } from "../fixtures/nbd";
import { makeCertificates } from "../fixtures/tls-certificates";
import { writeTree } from "../fixtures/tree";

const cleanup = cleanupAfterEach();
let directory: string;

beforeEach(async () => {
  directory = await scratchDirectory(cleanup);
});

async function readyVolume(bytes: number, ...more: string[]): Promise<AttachedVolume> {
  return AttachedVolume.attach(cleanup, directory, "vol", bytes, ...more);
}

describe("a frozen image over NBD", () => {
  it("has the bytes of the instant for qemu-img and nbdcopy, while the volume is overwritten", async () => {
    const volume = await readyVolume(48 * MIB);
    const before = deviceLoad(cleanup, volume.device);
    await pause(500);
    await before.stop();
    await mustRun("blockdev", ["--flushbufs", volume.device]);
    const truth = await hashOf(volume.image);
    await volume.prepare("s1", { skipFreeBlocks: false });
    await volume.activate("s1");
    await volume.request("serveNbd", { snapshots: ["s1"] });

    const load = deviceLoad(cleanup, volume.device);
    while ((await volume.snapshotReport("s1"))?.preservedBlocks === 0) await pause(50);
    const [converted, copied] = [join(directory, "converted"), join(directory, "copied")];
    await mustTalk("qemu-img", "convert", "-f", "raw", "-O", "raw", nbdUri(volume, "s1"), converted);
    await mustTalk("nbdcopy", "--connections=4", "--requests=64", nbdUri(volume, "s1"), copied);
    expect(load.running, load.output).toBe(true);
    await load.stop();
    expect([await hashOf(converted), await hashOf(copied)]).toEqual([truth, truth]);
    expect(await hashOf(volume.image)).not.toBe(truth);
    // What is not offered by name does not exist for a client.
    await expect(mustTalk("nbdinfo", "--size", nbdUri(volume, "live"))).rejects.toThrow(/has no export named/);
    await expect(qemuIo(nbdUri(volume, "s1"), "write 0 4k")).rejects.toThrow(/[Pp]ermission|read.only/);
  });

  it("shows free space as holes, which clients do not fetch, and its file system is whole", async () => {
    const volume = await readyVolume(256 * MIB);
    const at = await volume.mountNew("ext4");
    await writeTree(join(at, "tree"), 12 * MIB);
    const truth = await manifestOf(join(at, "tree"));
    await volume.prepare("s1");
    await mustFreeze([volume], "s1");
    await volume.request("serveNbd", { allSnapshots: true });
    fileLoad(cleanup, at);

    const uri = nbdUri(volume, "s1");
    const extents = await extentsOf(uri);
    const holes = extents.filter((extent) => extent.type === 3).reduce((sum, extent) => sum + extent.length, 0);
    expect(extents.reduce((sum, extent) => sum + extent.length, 0)).toBe(256 * MIB);
    expect(holes).toBeGreaterThan(200 * MIB);
    const mapped = await mustTalk("qemu-img", "map", "-f", "raw", "--output=json", uri);
    expect(mapped).toMatch(/"zero": true/);

    const copy = join(directory, "copy.img");
    await mustTalk("qemu-img", "convert", "-f", "raw", "-O", "raw", uri, copy);
    expect((await stat(copy)).blocks * 512).toBeLessThan(40 * MIB);
    await mustBeSound(copy, "ext4");
    const frozen = join(directory, "frozen");
    await mustRun("mkdir", [frozen]);
    await mustRun("mount", ["-o", "loop,ro,noload", copy, frozen]);
    cleanup.add("unmount the copy", () => mustRun("umount", [frozen]));
    expect(await manifestOf(join(frozen, "tree"))).toEqual(truth);
  });

  it("is not offered any more once it is released, and with the last one the service ends", async () => {
    const volume = await readyVolume(16 * MIB);
    for (const snapshot of ["s1", "s2"]) {
      await volume.prepare(snapshot, { skipFreeBlocks: false });
      await volume.activate(snapshot);
    }
    await volume.request("serveNbd", { snapshots: ["s1"] });
    await volume.request("serveNbd", { snapshots: ["s2"] });
    const list = async () => mustTalk("nbdinfo", "--list", "--json", nbdUri(volume, ""));
    expect(await list()).toMatch(/"s1".*"s2"/s);
    await volume.release("s1");
    expect(await list()).not.toMatch(/"s1"/);
    expect((await volume.describe()).nbd).toMatchObject({ snapshots: ["s2"], live: null, tcp: null });
    await volume.request("stopNbd", { snapshot: "s2" });
    expect((await volume.describe()).nbd).toBeNull();
    await expect(list()).rejects.toThrow();
    await expect(volume.request("serveNbd", { snapshots: ["s1"] })).rejects.toThrow(/no snapshot s1/);
    await expect(volume.request("serveNbd", {})).rejects.toThrow(/nothing to serve/);
  });
});

describe("blocks changed since an earlier snapshot", () => {
  it("are told under the name that QEMU has for them, of images and of the live volume", async () => {
    const volume = await readyVolume(64 * MIB);
    const uri = (name: string) => nbdUri(volume, name);
    await volume.request("serveNbd", { live: "readWrite", allSnapshots: true });
    const take = async (snapshot: string) => {
      await volume.prepare(snapshot, { skipFreeBlocks: false });
      await volume.activate(snapshot);
    };
    const dirtySince = async (since: string, name: string) =>
      (await extentsOf(uri(name), `qemu:dirty-bitmap:${since}`))
        .filter((extent) => extent.type === 1)
        .map(({ offset, length }) => [offset, length]);
    await take("s1");
    await qemuIo(uri("live"), "write 4k 8k", "write 1000k 4k", "write -z 8M 1M", "discard 32M 4k");
    await take("s2");
    await qemuIo(uri("live"), "write 16M 64k");
    const first = [
      [4096, 8192],
      [1_024_000, 4096],
      [8 * MIB, MIB],
      [32 * MIB, 4096],
    ];
    expect(await dirtySince("s1", "s2")).toEqual(first);
    expect(await dirtySince("s2", "live")).toEqual([[16 * MIB, 65_536]]);
    await volume.release("s1");
    expect(await dirtySince("s1", "s2")).toEqual(first);
    expect(await mustTalk("nbdinfo", "--list", uri(""))).toMatch(/qemu:dirty-bitmap:s1/);
    const options = `driver=nbd,server.type=unix,server.path=${volume.runDirectory}/nbd.sock,export=s2`;
    const map = ["--image-opts", `${options},x-dirty-bitmap=qemu:dirty-bitmap:s1`, "--output=json"];
    const seen = JSON.parse(await mustTalk("qemu-img", "map", ...map)) as { start: number; data: boolean }[];
    // QEMU's client shows what is dirty as what is not data.
    expect(seen.filter((extent) => !extent.data).map((extent) => extent.start)).toEqual(first.map(([start]) => start));
  });
});

describe.each(["512", "4096"])("the live volume over NBD, with sectors of %s bytes", (sectorSize) => {
  it("does what its loop device does, and the snapshot beneath stays what it was", async () => {
    const volume = await readyVolume(32 * MIB, "--sector-size", sectorSize);
    const uri = nbdUri(volume, "live");
    await volume.request("serveNbd", { live: "readWrite", allSnapshots: true });
    await qemuIo(uri, "write -P 1 0 32M", "flush");
    await volume.prepare("s1", { skipFreeBlocks: false });
    await volume.activate("s1");
    const truth = await hashOf(volume.image);
    await qemuIo(
      uri,
      ...["write -P 7 4k 60k", "write -f -P 8 1M 4k", "aio_write -P 9 2M 3M", "aio_write -P 10 8M 1M", "aio_flush"],
      ...["write -z 16M 1M", "write -z -u 20M 5M", "discard 30M 2M", "flush"],
    );
    await qemuIo(
      uri,
      ...["read -P 1 0 4k", "read -P 7 4k 60k", "read -P 8 1M 4k", "read -P 9 2M 3M", "read -P 10 8M 1M"],
      ...["read -P 0 16M 1M", "read -P 0 20M 5M", "read -P 1 25M 5M"],
    );
    const copy = join(directory, "live.img");
    await mustTalk("nbdcopy", uri, copy);
    expect(await hashOf(copy)).toBe(await hashOf(volume.device));
    expect(await hashOf(copy)).toBe(await hashOf(volume.image));
    await mustRun("dd", ["if=/dev/urandom", `of=${volume.device}`, "bs=64k", "count=40", "oflag=direct"]);
    await mustTalk("nbdcopy", uri, copy);
    expect(await hashOf(copy)).toBe(await hashOf(volume.image));
    const frozen = join(directory, "frozen.img");
    await mustTalk("nbdcopy", nbdUri(volume, "s1"), frozen);
    expect(await hashOf(frozen)).toBe(truth);
    const { nbd } = await volume.describe();
    expect(nbd).toMatchObject({ live: "readWrite", snapshots: ["s1"], tcp: null });
    const sizes = JSON.parse(await mustTalk("nbdinfo", "--json", uri)).exports[0];
    expect(sizes).toMatchObject({ block_size_minimum: Number(sectorSize), can_multi_conn: true, is_read_only: false });
  });
});

describe("the live volume over NBD", () => {
  it("keeps what fio writes with many requests in flight", async () => {
    const volume = await readyVolume(32 * MIB);
    await volume.request("serveNbd", { live: "readWrite" });
    await volume.prepare("s1", { skipFreeBlocks: false });
    await volume.activate("s1");
    const truth = await hashOf(volume.image);
    const said = await mustTalk("fio", ...verifiedNbdJob(nbdUri(volume, "live"), ["--size=32M"]));
    expect(said).toMatch(/err= 0/);
    expect(await hashOf(await volume.export("s1"))).toBe(truth);
  });

  it("is read-only where that was asked for, and is not detached while a client uses it", async () => {
    const volume = await readyVolume(16 * MIB);
    await volume.request("serveNbd", { live: "readOnly" });
    const uri = nbdUri(volume, "live");
    await expect(qemuIo(uri, "write 0 4k")).rejects.toThrow(/[Pp]ermission|read.only/);
    const client = createConnection(`${volume.runDirectory}/nbd.sock`);
    await once(client, "data");
    const refused = await engineCommand("detach", "--run-dir", volume.runDirectory);
    expect(refused.document).toMatchObject({ error: { kind: "busy", message: expect.stringMatching(/1 NBD client/) } });
    const closed = once(client, "close");
    await volume.request("stopNbd", {});
    await closed;
    const { exitCode } = await engineCommand("detach", "--run-dir", volume.runDirectory);
    expect(exitCode).toBe(0);
  });
});

describe("NBD over TCP", () => {
  it.each(["0.0.0.0", "127.0.0.1", "::1"])("is refused without TLS, at %s", async (address) => {
    const volume = await readyVolume(16 * MIB);
    const open = volume.request("serveNbd", { live: "readOnly", tcp: { address, port: 0 } });
    await expect(open).rejects.toThrow(/TCP needs TLS/);
    expect((await volume.describe()).nbd).toBe(null);
  });

  it("with TLS lets in clients whose certificate the authority signed, and tells others nothing", async () => {
    const volume = await readyVolume(16 * MIB);
    await mustRun("dd", ["if=/dev/urandom", `of=${volume.device}`, "bs=1M", "count=16", "oflag=direct"]);
    const keys = await makeCertificates(join(directory, "keys"));
    const strangers = await makeCertificates(join(directory, "strangers"));
    const files = { certificate: keys.serverCertificate, key: keys.serverKey, authorities: keys.authority };
    const { tcp } = await volume.request("serveNbd", {
      live: "readOnly",
      tcp: { address: "127.0.0.1", port: 0, tls: files },
    });
    expect(tcp?.tls).toBe(true);
    const image = (credentials: string) => [
      ...["--object", `tls-creds-x509,id=tls,endpoint=client,dir=${credentials}`, "--image-opts"],
      `driver=nbd,host=127.0.0.1,port=${tcp?.port},export=live,tls-creds=tls`,
    ];
    const copy = join(directory, "copy.img");
    await mustTalk("qemu-img", "convert", "-O", "raw", ...image(keys.clientDirectory), copy);
    expect(await hashOf(copy)).toBe(await hashOf(volume.image));
    await expect(mustTalk("qemu-img", "info", ...image(strangers.clientDirectory))).rejects.toThrow();
    await expect(mustTalk("nbdinfo", `nbd://127.0.0.1:${tcp?.port}/live`)).rejects.toThrow(/TLS/);
    await rm(copy);
    // The keys may go; the next engine has them.
    await rm(join(directory, "keys", "server-key.pem"));
    process.kill(await volume.enginePid(), "SIGKILL");
    await mustTalk("qemu-img", "convert", "-O", "raw", ...image(keys.clientDirectory), copy);
    expect(await hashOf(copy)).toBe(await hashOf(volume.image));
    await writeFile(join(directory, "no-key.pem"), "nothing");
    const broken = { ...files, key: join(directory, "no-key.pem") };
    const refused = volume.request("serveNbd", { tcp: { address: "127.0.0.1", port: 0, tls: broken } });
    await expect(refused).rejects.toThrow(/key/);
  });
});
