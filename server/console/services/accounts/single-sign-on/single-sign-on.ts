/**
 * Sign-in by a company's provider: its settings, and the way of one sign-in. What a sign-in is held to when it comes
 * back is sealed and kept by the endpoints (`endpoints.ts`), which give it back once.
 */
import type { Logger } from "pino";
import { z } from "zod";
import { admit, PROVIDER_SESSION_MS, type SignInProblem } from "@/server/core/access/single-sign-on";
import type { ProviderCheck, SingleSignOnInput, SingleSignOnView } from "@/server/core/contracts/single-sign-on";
import type { SingleSignOnStore, Stored } from "../../../data/single-sign-on";
import type { Actor, Audit, Outcome } from "../../audit/audit";
import { noteChange } from "../../audit/change-note";
import { fault } from "../../fault-error";
import type { Vault } from "../../secrets/vault";
import { type Client, Provider, ProviderError } from "./provider";

export const CALLBACK = "/single-sign-on/callback";
/** After a one-time link its owner may sign in by the password that they chose with it, whatever the settings say. */
const LINK_OPENS_MS = 10 * 60_000;
const UNDER_WAY = "a sign-in under way";
const ID_TOKEN = "the ID token of a session";

const underWaySchema = z.object({
  expected: z.object({ state: z.string(), nonce: z.string(), verifier: z.string() }),
  target: z.string(),
});

type Parts = { store: SingleSignOnStore; vault: Vault; audit: Audit; origin: string; log: Logger };
export type Begun = { ok: true; url: URL; state: string; sealed: string } | { ok: false; problem: SignInProblem };
/** What a session has that was made by the provider: its end, and the sealed ID token. */
export type SessionMark = { endsAt: Date; providerToken: string };
/** `asksForCode`: the provider is not trusted with the second factor, so the account's own is asked for. */
export type Arrived =
  | { ok: true; userId: string; asksForCode: boolean; target: string; mark: SessionMark }
  | { ok: false; problem: SignInProblem };

export class SingleSignOn {
  readonly #parts: Parts;
  readonly #provider = new Provider();
  readonly #redirectUri: string;
  readonly #signedOutUri: string;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#redirectUri = `${parts.origin}/api/auth${CALLBACK}`;
    this.#signedOutUri = `${parts.origin}/sign-in`;
  }

  async get(): Promise<SingleSignOnView> {
    const stored = await this.#parts.store.get();
    const hasSecret = stored !== null && stored.sealed !== null;
    return {
      settings: stored?.settings ?? null,
      hasSecret,
      redirectUri: this.#redirectUri,
      signedOutUri: this.#signedOutUri,
    };
  }

  /** What the sign-in page offers. */
  async ways(): Promise<{ label: string | null; local: boolean }> {
    const settings = (await this.#parts.store.get())?.settings;
    return settings?.enabled ? { label: settings.label, local: settings.localSignIn } : { label: null, local: true };
  }

  async set({ clientSecret, ...settings }: SingleSignOnInput): Promise<void> {
    const { store, vault } = this.#parts;
    const before = await store.get();
    noteChange({ subject: settings.issuer, before: before && viewOf(before) });
    const moved =
      before && (before.settings.issuer !== settings.issuer || before.settings.clientId !== settings.clientId);
    if (moved && before.sealed !== null && clientSecret === undefined) {
      const message = "Enter the secret again: it would go to another provider or stand for another client.";
      throw fault("invalid", message, { field: "clientSecret" });
    }
    if (settings.enabled && !settings.localSignIn && !(await store.anyAdministrator(identityIssuer(settings)))) {
      const message = "First sign in by the provider yourself, as an administrator: then it is known to work.";
      throw fault("conflict", message, { field: "localSignIn" });
    }
    const kept = before?.sealed ?? null;
    const sealed = clientSecret === undefined ? kept : clientSecret && vault.seal(clientSecret, contextOf(settings));
    const after = { settings, sealed };
    await store.set(after);
    noteChange({ after: viewOf(after) });
  }

  /** Asks the stored provider what it is. */
  async check(): Promise<ProviderCheck> {
    const stored = await this.#parts.store.get();
    if (!stored) throw fault("conflict", "Save the provider's address first.");
    noteChange({ subject: stored.settings.issuer });
    try {
      const { authorization, algorithms } = await this.#provider.check(this.#clientOf(stored));
      return {
        ok: true,
        answer: `It answers. People sign in at ${authorization}; it signs by ${algorithms.join(", ")}.`,
      };
    } catch (error) {
      if (error instanceof ProviderError) return { ok: false, answer: error.message };
      throw error;
    }
  }

  /** Whether a password may let this person in, or a passkey (`email` is null). */
  async allowsLocal(email: string | null): Promise<boolean> {
    if ((await this.ways()).local) return true;
    return email !== null && this.#parts.store.linkUsedSince(email, new Date(Date.now() - LINK_OPENS_MS));
  }

  /** `target`: where the person wants to be, a place of this console. `anew`: the provider is to ask who they are. */
  async begin(target: string, anew: boolean): Promise<Begun> {
    const stored = await this.#parts.store.get();
    if (!stored?.settings.enabled) return { ok: false, problem: "off" };
    try {
      const { scopes } = stored.settings;
      const { url, expected } = await this.#provider.authorize(this.#clientOf(stored), scopes, this.#redirectUri, anew);
      const sealed = this.#parts.vault.seal(JSON.stringify({ expected, target }), UNDER_WAY);
      return { ok: true, url, state: expected.state, sealed };
    } catch (error) {
      return this.#failed(error);
    }
  }

  /** `query`: what the provider sent the browser back with. `sealed`: of the sign-in that this browser began. */
  async arrive(query: URLSearchParams, sealed: string, address: string | null): Promise<Arrived> {
    const stored = await this.#parts.store.get();
    if (!stored?.settings.enabled) return { ok: false, problem: "off" };
    const { expected, target } = underWaySchema.parse(JSON.parse(this.#parts.vault.open(sealed, UNDER_WAY)));
    const { roleClaim } = stored.settings;
    const wanted = ["email", "email_verified", ...(roleClaim === null ? [] : [roleClaim])];
    try {
      const arrived = new URL(`${this.#redirectUri}?${query}`);
      const { claims, idToken } = await this.#provider.identify(this.#clientOf(stored), arrived, expected, wanted);
      const settled = await this.#settle(stored, claims, address);
      const mark = {
        endsAt: new Date(Date.now() + PROVIDER_SESSION_MS),
        providerToken: this.#parts.vault.seal(idToken, ID_TOKEN),
      };
      return settled.ok ? { ...settled, target, mark } : settled;
    } catch (error) {
      return this.#failed(error);
    }
  }

  /** Where somebody who signed out here signs out at the provider; null: nowhere. */
  async signOut(providerToken: string): Promise<string | null> {
    const stored = await this.#parts.store.get();
    if (!stored?.settings.enabled || !stored.settings.signsOut) return null;
    try {
      const idToken = this.#parts.vault.open(providerToken, ID_TOKEN);
      const url = await this.#provider.signOut(this.#clientOf(stored), idToken, this.#signedOutUri);
      return url?.href ?? null;
    } catch (error) {
      this.#failed(error);
      return null;
    }
  }

  async #settle({ settings }: Stored, claims: Readonly<Record<string, unknown>>, address: string | null) {
    const { store, audit } = this.#parts;
    const issuer = identityIssuer(settings);
    const person = admit(settings, claims);
    const subject = String(claims.sub);
    const refuse = async (problem: SignInProblem, email: string | null) => {
      const actor: Actor = { by: email ?? subject, role: null, address };
      await audit.record(actor, "account.signIn", { method: METHOD }, { outcome: "refused", message: problem });
      return { ok: false as const, problem };
    };
    if (!person.ok) return refuse(person.problem, person.email);
    const settled = await store.settle({ issuer, subject, person, linksExisting: settings.linksExisting });
    if (!settled.ok) return refuse(settled.problem, person.email);
    const { userId, email, was, roles, keptLast } = settled;
    const actor: Actor = { by: email, role: roles.after, address };
    if (was === "new") await audit.record(actor, "account.createByProvider", { role: roles.after }, DONE);
    if (was === "unlinked") await audit.record(actor, "account.link", { issuer, as: person.email }, DONE);
    if (roles.before !== null && roles.before !== roles.after) {
      const note = { subject: email, before: { role: roles.before }, after: { role: roles.after } };
      await audit.record(actor, "account.roleByProvider", null, DONE, note);
    }
    if (keptLast) {
      const message = `stays the only administrator; the provider says ${person.role}`;
      await audit.record(actor, "account.roleByProvider", null, { outcome: "refused", message });
    }
    return { ok: true as const, userId, asksForCode: !settings.trustsSecondFactor };
  }

  #failed(error: unknown): { ok: false; problem: SignInProblem } {
    if (!(error instanceof ProviderError)) throw error;
    const { problem, message } = error;
    this.#parts.log.warn({ part: "single sign-on", problem, reason: message }, "a sign-in by the provider failed");
    return { ok: false, problem };
  }

  #clientOf({ settings, sealed }: Stored): Client {
    const { issuer, clientId } = settings;
    return { issuer, clientId, secret: sealed && this.#parts.vault.open(sealed, contextOf(settings)) };
  }
}

/** As the audit log calls this way to sign in. */
export const METHOD = "single sign-on";
const DONE: Outcome = { outcome: "done", message: null };

/** As identities are kept: however the address was typed. */
const identityIssuer = ({ issuer }: { issuer: string }) => new URL(issuer).href;

/** A secret that was stored for one provider opens for no other. */
const contextOf = ({ issuer, clientId }: { issuer: string; clientId: string }) =>
  `client secret of ${JSON.stringify([issuer, clientId])}`;

const viewOf = ({ settings, sealed }: Stored) => ({ ...settings, hasSecret: sealed !== null });
