/** People of the console, as a browser sees them. */
import { z } from "zod";
import { isCommonPassword } from "../access/common-password";
import { roleSchema } from "./role";
import { instant } from "./time";

/** Bounds of a password, in characters. */
export const PASSWORD_LENGTH = { min: 10, max: 128 } as const;

export const passwordSchema = z
  .string()
  .min(PASSWORD_LENGTH.min, `must have at least ${PASSWORD_LENGTH.min} characters`)
  .max(PASSWORD_LENGTH.max, `must have at most ${PASSWORD_LENGTH.max} characters`)
  .refine((password) => !isCommonPassword(password), { error: "is among the passwords that are guessed first" });
export const emailSchema = z.email("must be an e-mail address").max(254, "must be at most 254 characters");
export const personNameSchema = z
  .string()
  .trim()
  .min(1, "must not be empty")
  .max(100, "must be at most 100 characters");

export const signedInSchema = z.object({ name: z.string(), email: z.string(), role: roleSchema });
export type SignedIn = z.infer<typeof signedInSchema>;

/** Who looks at the console, and whether it still waits for its first administrator. */
export const accountStateSchema = z.object({
  needsSetup: z.boolean(),
  signedIn: z.boolean(),
  user: signedInSchema.nullable(),
});
export type AccountState = z.infer<typeof accountStateSchema>;

/** What a one-time link is good for; `email` is null where its user chooses one. */
export const linkViewSchema = z.object({
  purpose: z.enum(["account", "password"]),
  role: roleSchema,
  email: z.string().nullable(),
});
export type LinkView = z.infer<typeof linkViewSchema>;

/** A link that was just made. It is told once: only its hash is kept. */
export const newLinkSchema = z.object({ link: z.string(), expiresAt: instant });
export type NewLink = z.infer<typeof newLinkSchema>;

export const userViewSchema = z.object({
  id: z.string(),
  name: z.string(),
  email: z.string(),
  role: roleSchema,
  createdAt: instant,
  /** Of the sign-ins that are still open. */
  lastSignInAt: instant.nullable(),
  /** Whether a code is asked for besides the password. */
  secondFactor: z.boolean(),
});
export type UserView = z.infer<typeof userViewSchema>;

export const invitationSchema = z.object({
  email: z.string(),
  role: roleSchema,
  invitedBy: z.string(),
  expiresAt: instant,
});
export type Invitation = z.infer<typeof invitationSchema>;

/** Of a code that an authenticator app shows. */
export const CODE_DIGITS = 6;

export const signInWaysSchema = z.object({
  /** Passwords and passkeys let people in. */
  local: z.boolean(),
  /** Null while nobody has a passkey. */
  passkeyHost: z.string().nullable(),
  /** What the company's provider is called; null: there is none. */
  singleSignOn: z.string().nullable(),
});
export type SignInWays = z.infer<typeof signInWaysSchema>;

export const passkeyNameSchema = z.string().trim().min(1, "must not be empty").max(60, "must be at most 60 characters");
export const passkeyViewSchema = z.object({ id: z.string(), name: z.string(), createdAt: instant });
export type PasskeyView = z.infer<typeof passkeyViewSchema>;

/** What protects one's own account besides the password. */
export const accountSafetySchema = z.object({
  /** False: who came by single sign-on alone. */
  hasPassword: z.boolean(),
  /** Null: sign-in asks for no code. */
  secondFactor: z.object({ backupCodesLeft: z.number().int() }).nullable(),
  passkeys: z.array(passkeyViewSchema),
  /** A browser keeps passkeys for this host name, and offers them nowhere else. */
  passkeyHost: z.string(),
});
export type AccountSafety = z.infer<typeof accountSafetySchema>;

/** A sign-in of one's own. `current`: the one that asks. */
export const sessionViewSchema = z.object({
  id: z.string(),
  current: z.boolean(),
  createdAt: instant,
  address: z.string().nullable(),
  userAgent: z.string().nullable(),
});
export type SessionView = z.infer<typeof sessionViewSchema>;
