import { expect, test } from "vitest";
import { documentWithoutSecrets, withoutSecrets } from "@/server/core/text/secrets";

const S = "tr0ub4dor&3,x";

test.each([
  [`RESTIC_PASSWORD=${S} restic backup`, "environment"],
  [`export PGPASSWORD="${S} more" pg_dump`, "quoted in a shell"],
  [`password='${S} more'`, "single quotes"],
  [`{"password":"${S} \\" more","repository":"/r"}`, "JSON with an escaped quote"],
  [`{"msg":"sent {\\"hostKey\\":\\"${S} more\\"} now"}`, "JSON in JSON"],
  [`smtp.password: ${S}`.replace(",x", ""), "YAML"],
  [`Authorization: Bearer ${S}`, "header"],
  [`cookie: a=1; session=${S}; b=2`, "cookies"],
  [`it said Bearer abcdef.${"x".repeat(20)}-${"s".repeat(8)}`, "bearer"],
  [`mysqldump --password ${S} all`, "option with a space"],
  [`borg --my-passphrase="${S} more" x`, "option with ="],
  [`https://ada:${S}@example.net/path`, "address"],
  [`rest:https://${S}@example.net/`, "address with a token alone"],
  [`/sign-in?token=${S}&x=1`, "query"],
  [`aws_secret_access_key = ${S}`, "credentials file"],
  [`api_key=12345678`, "a number"],
  [`-----BEGIN OPENSSH PRIVATE KEY-----\n${S}\nAAAA\n-----END OPENSSH PRIVATE KEY-----`, "private key"],
  [`-----BEGIN RSA PRIVATE KEY-----\n${S}\ncut short`, "private key that was cut short"],
])("%s: nothing of it is left", (text) => {
  const left = withoutSecrets(text);
  expect(left).toContain("[removed]");
  for (const part of ["tr0ub4dor", "&3", "more", "12345678", "xxxxx", "AAAA"]) expect(left).not.toContain(part);
});

test.each([
  "ghp_0123456789abcdefghijABCDEFGHIJ",
  "AKIAIOSFODNN7EXAMPLE",
  "stillframe_q8Zt0aB-cD_1eF2gH3iJ4kL5mN6oP7qR8sT9uV0wX1yZ2",
  "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-def",
])("a key of a well-known form is removed where no name gives it away: %s", (key) =>
  expect(withoutSecrets(`it was ${key}, I think`)).toBe("it was [removed], I think"),
);

test("a known secret is found in every way that it may be written", () => {
  const secret = 'pa"ss wörd/%\\';
  const base64 = Buffer.from(secret).toString("base64");
  const inJson = JSON.stringify({ x: secret });
  const ways = [secret, inJson, JSON.stringify(inJson), encodeURIComponent(secret), base64];
  expect(withoutSecrets(ways.join("\n"), [secret])).toBe(
    [
      "[removed]",
      '{"x":"[removed]"}',
      '"{\\"x\\":\\"[removed]\\"}"',
      "[removed]",
      base64.replace(/[^=]+/, "[removed]"),
    ].join("\n"),
  );
});

test("of two known secrets one of which is a part of the other, none leaves a rest", () => {
  expect(withoutSecrets("horse battery staple", ["horse", "horse battery"])).toBe("[removed] staple");
});

test("what is no secret stays as it was", () => {
  const text = [
    '{"hasPassword":true,"password":null,"volume":"data"}',
    "a000851c: the cache of /srv/data is full: 8.0 MiB",
    "2026-11-22T02:05:12.218Z info run ended (Nightly)",
    "the repository's password was refused",
    "ada@example.net signed in",
    "https://example.net/a?b=c",
  ].join("\n");
  expect(withoutSecrets(text)).toBe(text);
});

test("a field that is called secret is left out whatever it holds; that there is one may be told", () => {
  expect(
    documentWithoutSecrets({
      a: [{ smtpPassword: "x", tokens: ["y", 1], hasPassword: true, secret: null }],
      b: "kept, password=x",
    }),
  ).toEqual({
    a: [{ smtpPassword: "[removed]", tokens: "[removed]", hasPassword: true, secret: null }],
    b: "kept, password=[removed]",
  });
});

test("a very long word takes no long time", () => {
  const long = `${"a".repeat(500_000)} password=${S} ${"pass".repeat(50_000)}`;
  expect(withoutSecrets(long)).not.toContain("tr0ub4dor");
});
