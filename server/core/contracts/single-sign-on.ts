/** Sign-in by a company's own provider (OpenID Connect), as an administrator sets it up. */
import { z } from "zod";
import { roleSchema } from "./role";

const MOST_RULES = 100;
const MOST_DOMAINS = 50;

const text = (most: number) =>
  z.string().trim().min(1, "must not be empty").max(most, `must be at most ${most} characters`);

/** Plain HTTP is for a provider on the console's own machine. */
export const issuerSchema = z
  .url({ protocol: /^https?$/, error: "must be an https address", abort: true })
  .max(2048, "must be at most 2048 characters")
  .refine((address) => new URL(address).protocol === "https:" || isLoopback(new URL(address).hostname), {
    error: "must be an https address",
    abort: true,
  })
  .refine((address) => !/[?#]|^[^/]*\/\/[^/]*@/.test(address), { error: "must not hold a query, name or password" })
  .refine((address) => !address.includes("/.well-known/"), { error: "must be the issuer, without /.well-known/…" });

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** Somebody in whose claim this value stands has this role. */
export const roleRuleSchema = z.object({ value: text(200), role: roleSchema });
export type RoleRule = z.infer<typeof roleRuleSchema>;

export const otherwiseSchema = z.union([roleSchema, z.literal("refuse")]);
export type Otherwise = z.infer<typeof otherwiseSchema>;

export const singleSignOnSchema = z.object({
  enabled: z.boolean(),
  /** The button says “Sign in with …”. */
  label: text(40),
  issuer: issuerSchema,
  clientId: text(500),
  scopes: z
    .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/, "must be words without spaces or quotes"))
    .max(20)
    .refine((scopes) => scopes.includes("openid"), { error: "must hold openid" }),
  /**
   * The claim that tells roles, a list or a text; dots lead into an object. Null: roles are given here, and a
   * sign-in leaves them as they are.
   */
  roleClaim: text(200).nullable(),
  roleRules: z.array(roleRuleSchema).max(MOST_RULES),
  /** For whom no rule fits; without a claim, for who comes the first time and was not invited. */
  otherwise: otherwiseSchema,
  /** Addresses of other domains are refused. Empty: any. */
  emailDomains: z
    .array(
      z
        .string()
        .trim()
        .toLowerCase()
        .regex(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/, "must be domains, like example.net"),
    )
    .max(MOST_DOMAINS),
  /** Who has an account here already, with the same verified address, is let into it. */
  linksExisting: z.boolean(),
  /** An address counts as verified where the provider says nothing about it. One that it calls unverified never does. */
  assumesVerified: z.boolean(),
  /** No code is asked for besides: the provider has seen to it. */
  trustsSecondFactor: z.boolean(),
  /** Passwords and passkeys let people in too. A one-time link always does. */
  localSignIn: z.boolean(),
  /** Who signs out here is sent to the provider to sign out there too, where it offers that. */
  signsOut: z.boolean().default(false),
});
export type SingleSignOnSettings = z.infer<typeof singleSignOnSchema>;

export const singleSignOnInputSchema = singleSignOnSchema
  .extend({
    /** Undefined: the stored one stays. Null: the provider knows this client without one. */
    clientSecret: z.string().min(1, "must not be empty").max(2048, "must be at most 2048 characters").nullish(),
  })
  .strict();
export type SingleSignOnInput = z.infer<typeof singleSignOnInputSchema>;

export const singleSignOnViewSchema = z.object({
  /** Null: never set up. */
  settings: singleSignOnSchema.nullable(),
  hasSecret: z.boolean(),
  /** The provider must know this address. */
  redirectUri: z.string(),
  /** And this one, for people to come back to who signed out there. */
  signedOutUri: z.string(),
});
export type SingleSignOnView = z.infer<typeof singleSignOnViewSchema>;

/** What the provider said of itself, or why it could not be asked. */
export const providerCheckSchema = z.object({ ok: z.boolean(), answer: z.string() });
export type ProviderCheck = z.infer<typeof providerCheckSchema>;
