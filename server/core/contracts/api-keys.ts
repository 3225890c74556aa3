/** Keys for programs, as a browser sees them. */
import { z } from "zod";
import { scopeSchema } from "../access/scopes";
import { displayName } from "./job";
import { instant } from "./time";

export const LONGEST_EXPIRY_DAYS = 3650;

export const apiKeyInputSchema = z
  .object({
    name: displayName,
    scopes: z.array(scopeSchema).min(1, "choose at least one"),
    /** From now; null: the key does not end. */
    expiresInDays: z.number().int().min(1).max(LONGEST_EXPIRY_DAYS).nullable(),
  })
  .strict();
export type ApiKeyInput = z.infer<typeof apiKeyInputSchema>;

export const apiKeyViewSchema = z.object({
  id: z.string(),
  name: z.string(),
  /** How the key begins. */
  hint: z.string(),
  scopes: z.array(scopeSchema),
  /** An e-mail address. */
  createdBy: z.string(),
  createdAt: instant,
  expiresAt: instant.nullable(),
  /** To the minute. */
  lastUsedAt: instant.nullable(),
});
export type ApiKeyView = z.infer<typeof apiKeyViewSchema>;

/** A key that was just made. It is told once: only its hash is kept. */
export const newApiKeySchema = apiKeyViewSchema.extend({ key: z.string() });
export type NewApiKey = z.infer<typeof newApiKeySchema>;
