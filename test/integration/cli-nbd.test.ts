/** `stillframe volume serve` and `snapshot serve`: the URI that is printed is one that NBD clients can use. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { NbdService } from "@/server/core/contracts/nbd";
import { Cleanup } from "../fixtures/cleanup";
import { hashOf } from "../fixtures/device-hash";
import { Installation } from "../fixtures/installation";
import { mustTalk } from "../fixtures/nbd";
import { makeCertificates } from "../fixtures/tls-certificates";

const whole = new Cleanup();
let here: Installation;

beforeAll(async () => {
  here = await Installation.start(whole, { programs: "worker" });
  await here.must("practice", "create", "alpha", "--size", "128M");
});
afterAll(() => whole.run());

describe("serving", () => {
  test("a snapshot alone prints one URI, which qemu-img reads, until it is stopped", async () => {
    writeFileSync(join(here.mount("alpha"), "file"), "kept");
    type Made = { snapshots: { id: string; device: string }[] };
    const made = await here.json<Made>("snapshot", "create", "alpha", "--min-quiet", "0");
    const { id, device } = made.snapshots[0] ?? { id: "", device: "" };
    const printed = (await here.cli("snapshot", "serve", id)).stdout.trim();
    expect(printed).toMatch(new RegExp(`^nbd\\+unix:///${id}\\?socket=/`));
    const copy = here.path("copy.img");
    await mustTalk("qemu-img", "convert", "-f", "raw", "-O", "raw", printed, copy);
    expect(await hashOf(copy)).toBe(await hashOf(device));
    const [service] = await here.json<NbdService[]>("volume", "serve");
    expect(service).toMatchObject({ volume: "alpha", connections: 0, tcp: null });
    expect(service?.exports).toEqual([{ name: id, readOnly: true, uris: [printed] }]);

    const keys = await makeCertificates(here.path("keys"));
    const tls = ["--tls-cert", keys.serverCertificate, "--tls-key", keys.serverKey, "--tls-ca", keys.authority];
    const added = await here.json<NbdService>("volume", "serve", "alpha", "--tcp", "127.0.0.1:0", ...tls);
    expect(added.exports.map((one) => [one.name, one.readOnly])).toEqual([
      ["live", true],
      [id, true],
    ]);
    await mustTalk("nbdinfo", "--size", `${added.exports[0]?.uris[1]}?tls-certificates=${keys.clientDirectory}`);
    const other = await here.cli("volume", "serve", "alpha", "--tcp", "127.0.0.1:1", ...tls);
    expect(other.stderr).toMatch(/stop it first/);

    await here.must("volume", "serve", "alpha", "--stop");
    await expect(mustTalk("nbdinfo", "--size", printed)).rejects.toThrow();
    expect(await here.json("volume", "serve")).toEqual([]);
    await here.must("snapshot", "release", id);
    expect((await here.cli("snapshot", "serve", id)).stderr).toMatch(/there is no snapshot/);
  });

  test("a mounted volume for writing is refused, and so is TCP without TLS", async () => {
    const writable = await here.cli("volume", "serve", "alpha", "--writable");
    expect([writable.exitCode, writable.stderr]).toEqual([1, expect.stringMatching(/is mounted at/)]);
    for (const address of ["0.0.0.0:0", "127.0.0.1:0"]) {
      const open = await here.cli("volume", "serve", "alpha", "--tcp", address);
      expect([open.exitCode, open.stderr]).toEqual([2, expect.stringMatching(/TCP needs TLS/)]);
    }
    const half = await here.cli("volume", "serve", "alpha", "--tcp", "127.0.0.1:0", "--tls-cert", "x");
    expect([half.exitCode, half.stderr]).toEqual([2, expect.stringMatching(/--tls-key/)]);
    const nowhere = await here.cli("volume", "serve", "alpha", "--tcp", "localhost");
    expect([nowhere.exitCode, nowhere.stderr]).toEqual([2, expect.stringMatching(/127\.0\.0\.1:10809/)]);
    expect(await here.json("volume", "serve")).toEqual([]);
  });
});
