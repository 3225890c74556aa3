import { expect, test } from "vitest";
import { isCommonPassword } from "@/server/core/access/common-password";
import { passwordSchema } from "@/server/core/contracts/accounts";

test.each([
  ...[
    "password12",
    "Password123!",
    "P@ssw0rd2026",
    "p4ssw0rd!!!!",
    "1234567890",
    "0987654321",
    "qwertyuiop",
    "qwertzuiop",
  ],
  ...["aaaaaaaaaa", "abcabcabcabc", "121212121212", "stillframe1", "Stillframe2026!", "administrator", "letmein12345"],
  ...["welcome-2026", "passwordpassword", "changeme1234", "iloveyou!!!", "abcdefghijk"],
])("“%s” is refused", (password) => {
  expect(isCommonPassword(password)).toBe(true);
  expect(passwordSchema.safeParse(password).error?.issues[0]?.message).toMatch(/guessed first/);
});

test.each([
  ...[
    "correct horse battery",
    "analytical engine",
    "nanoseconds of wire",
    "the viewer's password",
    "a better password",
  ],
  ...[
    "a fine long password",
    "tr0ub4dor&3x",
    "xK9#vLq2!mRt",
    "пароль из снега",
    "my-administrators-dog",
    "wrong wrong wrong?",
  ],
])("“%s” is not", (password) => expect(isCommonPassword(password)).toBe(false));
