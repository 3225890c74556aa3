/**
 * The talk with an OpenID provider: authorization code with PKCE, state and nonce. What it answers is believed only
 * after issuer, audience, times, nonce and the signature by one of its published keys were checked: the last also
 * where TLS vouches for the answer already, for the provider may stand behind plain HTTP on this machine.
 */
import * as openid from "openid-client";
import type { Claims, SignInProblem } from "@/server/core/access/single-sign-on";
import { claimAt } from "@/server/core/access/single-sign-on";
import type { SingleSignOnSettings } from "@/server/core/contracts/single-sign-on";

const TIMEOUT_SECONDS = 10;
/** By how much the provider's clock may differ. */
const CLOCK_SECONDS = 60;
const KEPT_MS = 10 * 60_000;

/** What a sign-in is held to when it comes back. */
export type Expected = { state: string; nonce: string; verifier: string };
export type Client = Pick<SingleSignOnSettings, "issuer" | "clientId"> & { secret: string | null };

/** `idToken`: as it was signed; the provider wants it back for a sign-out. */
export type Identified = { claims: Claims; idToken: string };

/** A sign-in that the provider did not bring to its end, or not in a way that is believed. */
export class ProviderError extends Error {
  readonly problem: SignInProblem;

  constructor(problem: SignInProblem, cause: unknown) {
    super(words(cause), { cause });
    this.problem = problem;
  }
}

export class Provider {
  #known: { client: Client; at: number; configuration: openid.Configuration } | null = null;

  /** Where to send the browser. `anew`: who is signed in there still shows again who they are. */
  async authorize(client: Client, scopes: readonly string[], redirectUri: string, anew: boolean) {
    const configuration = await this.#configuration(client);
    const expected: Expected = {
      state: openid.randomState(),
      nonce: openid.randomNonce(),
      verifier: openid.randomPKCECodeVerifier(),
    };
    const url = openid.buildAuthorizationUrl(configuration, {
      redirect_uri: redirectUri,
      scope: scopes.join(" "),
      state: expected.state,
      nonce: expected.nonce,
      code_challenge: await openid.calculatePKCECodeChallenge(expected.verifier),
      code_challenge_method: "S256",
      ...(anew && { prompt: "login" }),
    });
    return { url, expected };
  }

  /** Who has come back to `arrived`; `wanted` claims are asked for where the signed answer lacks one. */
  async identify(client: Client, arrived: URL, expected: Expected, wanted: readonly string[]): Promise<Identified> {
    const configuration = await this.#configuration(client);
    try {
      const tokens = await openid.authorizationCodeGrant(configuration, arrived, {
        expectedState: expected.state,
        expectedNonce: expected.nonce,
        pkceCodeVerifier: expected.verifier,
        idTokenExpected: true,
      });
      const signed = tokens.claims();
      if (!signed) throw new Error("the provider sent no ID token");
      // Some providers let the people of all their customers in by one address.
      if (!sameAddress(signed.iss, client.issuer)) throw new Error(`the ID token is of another issuer, ${signed.iss}`);
      const complete = wanted.every((name) => claimAt(signed, name) !== undefined);
      const idToken = tokens.id_token ?? "";
      if (complete || !configuration.serverMetadata().userinfo_endpoint) return { claims: signed, idToken };
      const told = await openid.fetchUserInfo(configuration, tokens.access_token, signed.sub);
      return { claims: { ...told, ...signed }, idToken };
    } catch (error) {
      throw new ProviderError(problemOf(error), error);
    }
  }

  /** Where to send the browser to sign out there; null: the provider does not offer it. Throws a `ProviderError`. */
  async signOut(client: Client, idToken: string, returnTo: string): Promise<URL | null> {
    const configuration = await this.#configuration(client);
    if (!configuration.serverMetadata().end_session_endpoint) return null;
    return openid.buildEndSessionUrl(configuration, { id_token_hint: idToken, post_logout_redirect_uri: returnTo });
  }

  /** Asks the provider anew what it is. Throws a `ProviderError`. */
  async check(client: Client): Promise<{ authorization: string; algorithms: readonly string[] }> {
    this.#known = null;
    const metadata = (await this.#configuration(client)).serverMetadata();
    return {
      authorization: metadata.authorization_endpoint ?? "",
      algorithms: metadata.id_token_signing_alg_values_supported ?? [],
    };
  }

  async #configuration(client: Client): Promise<openid.Configuration> {
    const known = this.#known;
    if (known && same(known.client, client) && Date.now() - known.at < KEPT_MS) return known.configuration;
    try {
      const configuration = await discover(client);
      this.#known = { client, at: Date.now(), configuration };
      return configuration;
    } catch (error) {
      throw new ProviderError(unreachable(error) ? "unreachable" : "untrusted", error);
    }
  }
}

async function discover({ issuer, clientId, secret }: Client): Promise<openid.Configuration> {
  const plain = new URL(issuer).protocol === "http:";
  const configuration = await openid.discovery(
    new URL(issuer),
    clientId,
    { [openid.clockTolerance]: CLOCK_SECONDS },
    // The usual way of a secret is told after discovery; it is not needed before.
    secret === null
      ? openid.None()
      : (as, client, body, headers) => authentication(as, secret)(as, client, body, headers),
    {
      timeout: TIMEOUT_SECONDS,
      execute: plain
        ? [openid.enableNonRepudiationChecks, openid.allowInsecureRequests]
        : [openid.enableNonRepudiationChecks],
    },
  );
  if (!configuration.serverMetadata().authorization_endpoint) throw new Error("it names no authorization endpoint");
  return configuration;
}

/** What the specification takes for granted, unless the provider names others only. */
function authentication(server: openid.ServerMetadata, secret: string): openid.ClientAuth {
  const methods = server.token_endpoint_auth_methods_supported;
  if (!methods || methods.includes("client_secret_basic")) return openid.ClientSecretBasic(secret);
  return openid.ClientSecretPost(secret);
}

const sameAddress = (one: string, other: string) => URL.canParse(one) && new URL(one).href === new URL(other).href;

const same = (one: Client, other: Client) =>
  one.issuer === other.issuer && one.clientId === other.clientId && one.secret === other.secret;

/** A network that fails, a time-out, or an answer that the provider itself calls a failure of its own. */
function unreachable(error: unknown): boolean {
  if (error instanceof TypeError) return true;
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  return code === "OAUTH_TIMEOUT" || code === "OAUTH_ABORT" || (cause instanceof Response && cause.status >= 500);
}

/** Answers of the token endpoint. A code that was used already is no grant. */
const tokenProblems: Readonly<Record<string, SignInProblem>> = {
  invalid_grant: "stale",
  invalid_client: "client",
  unauthorized_client: "client",
};

function problemOf(error: unknown): SignInProblem {
  if (error instanceof openid.AuthorizationResponseError) {
    return error.error === "temporarily_unavailable" || error.error === "server_error" ? "unreachable" : "declined";
  }
  if (error instanceof openid.ResponseBodyError) return tokenProblems[error.error] ?? "untrusted";
  if (error instanceof openid.WWWAuthenticateChallengeError) return "client";
  if (unreachable(error)) return "unreachable";
  return (error as { code?: unknown }).code === "OAUTH_JWT_TIMESTAMP_CHECK_FAILED" ? "clock" : "untrusted";
}

/** The innermost reason, which names the check or the network's fault. */
function words(error: unknown): string {
  if (error instanceof Response) return `HTTP ${error.status}`;
  if (!(error instanceof Error)) return String(error);
  const known = error.cause instanceof Error || error.cause instanceof Response;
  const inner = known ? words(error.cause) : "";
  const told = error instanceof openid.ResponseBodyError ? ` (${error.error})` : "";
  return inner === "" || inner === error.message ? error.message + told : `${error.message}: ${inner}`;
}
