/** Makes and uses passkeys: what the browser asks its user, between two requests. */
import {
  browserSupportsWebAuthn,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  startAuthentication,
  startRegistration,
} from "@simplewebauthn/browser";
import { type AuthAnswer, authRequest } from "./auth-request";

/** Whether this browser can, at the address that it shows. `host`: the name for which it keeps passkeys. */
export function passkeysWorkHere(host: string): boolean {
  return location.hostname === host && window.isSecureContext && browserSupportsWebAuthn();
}

export async function addPasskey(name: string): Promise<AuthAnswer<unknown>> {
  const options = await authRequest<PublicKeyCredentialCreationOptionsJSON>("passkey/generate-register-options");
  if (!options.ok) return options;
  return withDevice(
    () => startRegistration({ optionsJSON: options.data }),
    (response) => authRequest("passkey/verify-registration", { response, name }),
  );
}

export async function signInWithPasskey(): Promise<AuthAnswer<unknown>> {
  const options = await authRequest<PublicKeyCredentialRequestOptionsJSON>("passkey/generate-authenticate-options");
  if (!options.ok) return options;
  return withDevice(
    () => startAuthentication({ optionsJSON: { ...options.data, userVerification: "required" } }),
    (response) => authRequest("passkey/verify-authentication", { response }),
  );
}

async function withDevice<T>(ask: () => Promise<T>, then: (response: T) => Promise<AuthAnswer<unknown>>) {
  let response: T;
  try {
    response = await ask();
  } catch (error) {
    const known = error instanceof Error && error.name === "InvalidStateError";
    const message = known ? "This device has a passkey for your account already." : "No passkey was used.";
    return { ok: false as const, code: null, message };
  }
  return then(response);
}
