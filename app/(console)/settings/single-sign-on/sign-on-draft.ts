/** The settings while they are edited: as they will be sent, and what is wrong with them by field. */
import {
  type SingleSignOnInput,
  type SingleSignOnSettings,
  singleSignOnInputSchema,
} from "@/server/core/contracts/single-sign-on";

export type Problems = Record<string, string>;

export const firstSettings: SingleSignOnSettings = {
  enabled: true,
  label: "",
  issuer: "",
  clientId: "",
  scopes: ["openid", "email", "profile"],
  roleClaim: null,
  roleRules: [],
  otherwise: "refuse",
  emailDomains: [],
  linksExisting: false,
  assumesVerified: false,
  trustsSecondFactor: true,
  localSignIn: true,
  signsOut: false,
};

/** The first problem of each field, by its path; a list of texts is one field. Empty: none. */
export function problemsOf(draft: SingleSignOnInput): Problems {
  const problems: Problems = {};
  for (const { path, message } of singleSignOnInputSchema.safeParse(draft).error?.issues ?? []) {
    const field = path[0] === "roleRules" ? path.join(".") : String(path[0]);
    problems[field] ??= message;
  }
  return problems;
}
