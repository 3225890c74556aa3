import { expect, test } from "vitest";
import { REG_KEYS, readRegExport } from "@/server/core/settings/reg-import";

const HEADER = "Windows Registry Editor Version 5.00\r\n\r\n";
const [old, recent] = REG_KEYS;
const file = (key: string, value: string) => `${HEADER}[${key}]\r\n"DoSingleVolumeSnap"=${value}\r\n`;
const utf8 = (text: string) => new TextEncoder().encode(text);
const utf16 = (text: string) => Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, "utf16le")]);
const reasonOf = (bytes: Uint8Array) => {
  const read = readRegExport(bytes);
  return read.ok ? "accepted" : read.reason;
};

test.each([old, recent])("the switch is found under %s, in the form that regedit writes", (key) => {
  expect(readRegExport(utf16(file(key, "dword:00000001")))).toEqual({ ok: true, key, value: 1 });
  expect(readRegExport(utf16(file(key, "dword:00000000")))).toMatchObject({ ok: true, value: 0 });
});

test("the older 8-bit form is read too, also with letters that are not UTF-8", () => {
  const text = `REGEDIT4\n\n[${old}]\n"Sprache"="Stra\xdfe"\n"DoSingleVolumeSnap"=dword:1\n`;
  expect(readRegExport(Buffer.from(text, "latin1"))).toMatchObject({ ok: true, value: 1 });
});

test("UTF-16 that lost its byte order mark is recognised", () => {
  expect(readRegExport(Buffer.from(file(old, "dword:00000001"), "utf16le"))).toMatchObject({ ok: true, value: 1 });
  const bigEndian = Buffer.from(`\ufeff${file(old, "dword:00000001")}`, "utf16le").swap16();
  expect(readRegExport(bigEndian)).toMatchObject({ ok: true, value: 1 });
});

test("upper and lower case, WOW6432Node, comments and spaces make no difference", () => {
  const key = "hkey_local_machine\\software\\WOW6432Node\\veritas\\BACKUP EXEC\\engine\\backup";
  const text = `${HEADER}; exported\r\n[${key}]\r\n  "dosinglevolumesnap" = DWORD:00000001 ; on\r\n`;
  expect(readRegExport(utf8(text))).toMatchObject({ ok: true, value: 1, key });
});

test("values that go on over several lines do not hide the one that follows", () => {
  const binary = `"Blob"=hex:00,01,\\\r\n  02,03,\\\r\n  04\r\n`;
  const text = `${HEADER}[${old}]\r\n${binary}"DoSingleVolumeSnap"=dword:\\\r\n  00000001\r\n`;
  expect(readRegExport(utf8(text))).toMatchObject({ ok: true, value: 1 });
});

test("where both products left the value, the newer one's counts", () => {
  const text = `${file(recent, "dword:00000001")}[${old}]\r\n"DoSingleVolumeSnap"=dword:00000000\r\n`;
  expect(readRegExport(utf8(text))).toMatchObject({ ok: true, key: recent, value: 1 });
});

test("the value under another key does not count, and the answer says where it was looked for", () => {
  expect(reasonOf(utf8(file("HKEY_CURRENT_USER\\Software\\Other", "dword:1")))).toContain(old);
  expect(reasonOf(utf8(`${HEADER}[-${old}]\r\n"DoSingleVolumeSnap"=dword:00000001\r\n`))).toContain(recent);
});

test.each([
  ["a picture", Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0, 0xff])],
  ["an empty file", new Uint8Array()],
  ["some other text", utf8("DoSingleVolumeSnap=1")],
])("%s is refused as no registry export", (_, bytes) => {
  expect(reasonOf(bytes)).toMatch(/not a registry export.*DoSingleVolumeSnap/);
});

test("a value of another kind or size is refused by what it is", () => {
  expect(reasonOf(utf8(file(old, '"1"')))).toContain('not a dword but "1"');
  expect(reasonOf(utf8(file(old, "dword:00000002")))).toContain("is 2; it can be 0 or 1");
  expect(reasonOf(utf8(file(old, "-")))).toContain("deletes");
});
