import { describe, expect, test } from "vitest";
import { formatBytes, parseSize } from "@/server/core/text/bytes";

describe("sizes that a person types", () => {
  test.each([
    ["512M", 512 * 1024 ** 2],
    ["512MiB", 512 * 1024 ** 2],
    ["1.5 g", 1.5 * 1024 ** 3],
    ["4096", 4096],
    ["4096B", 4096],
  ])("%s is read", (text, bytes) => expect(parseSize(text)).toEqual({ ok: true, bytes }));

  test.each(["", "lots", "-5M", "10 MB", "5iB", "1.0001", "9999999P", "1e9", "512 M M"])("%j is refused", (text) => {
    const parsed = parseSize(text);
    expect(parsed.ok).toBe(false);
    if (!parsed.ok) expect(parsed.reason).toContain(text);
  });
});

test.each([
  [0, "0 B"],
  [1023, "1023 B"],
  [1536, "1.5 KiB"],
  [8 * 1024 ** 2, "8.0 MiB"],
  [1024 ** 3 - 1, "1.0 GiB"],
  [450 * 1024 ** 3, "450 GiB"],
])("%d bytes are shown as %s", (bytes, text) => expect(formatBytes(bytes)).toBe(text));
