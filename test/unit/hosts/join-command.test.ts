import { expect, test } from "vitest";
import { addressProblem, joinCommand, likelyAddress } from "@/app/(console)/hosts/join-command";

test("the command names the console twice and the token once", () => {
  expect(joinCommand("https://console.example.org:4643/", "tok-en_1")).toBe(
    "curl -fsS https://console.example.org:4643/join.sh | sh -s -- https://console.example.org:4643 tok-en_1",
  );
});

test.each([
  "",
  "console.example.org",
  "ftp://console.example.org",
  "https://console.example.org/path",
  "https://console.example.org?x=1",
  "https://eve@console.example.org",
  "https://$(reboot).example.org",
  "https://a;reboot",
])("no command is made of %j", (address) => {
  expect(addressProblem(address)).toMatchObject({ refused: true });
});

test.each([
  ["http://127.0.0.1:4600", /leads a machine to itself/],
  ["http://localhost:4600", /leads a machine to itself/],
  ["http://[::1]:4600", /leads a machine to itself/],
  ["http://console.example.org:4600", /not encrypted/],
])("of %s a command is made, with a warning", (address, text) => {
  expect(addressProblem(address)).toEqual({ refused: false, text: expect.stringMatching(text) });
});

test("an encrypted address of the network has no problem", () => {
  expect(addressProblem("https://[fd00::1]:4643")).toBeNull();
  expect(addressProblem("https://console.example.org")).toBeNull();
});

test("the reader's own address is taken, but for one that leads to their machine where a better one is known", () => {
  expect(likelyAddress("https://proxy.example.org", "http://db01:4600")).toBe("https://proxy.example.org");
  expect(likelyAddress("http://127.0.0.1:4600", "http://db01:4600")).toBe("http://db01:4600");
  expect(likelyAddress("http://127.0.0.1:4600", "http://127.0.0.1:4600")).toBe("http://127.0.0.1:4600");
});
