/** What an engine's refusal, or its silence, is outside the worker: the one place that translates the engine's words. */
import { FaultError } from "../fault";
import type { AttachedVolume } from "../volumes/known-volumes";
import { EngineGone, EngineRefused } from "./client";
import type { ErrorKind } from "./protocol.gen";
import { engineUnreachable } from "./unreachable";

const kinds: Record<ErrorKind, FaultError["kind"]> = {
  invalid: "invalid",
  notFound: "notFound",
  exists: "conflict",
  busy: "busy",
  tooMany: "conflict",
  noSpace: "failed",
  io: "failed",
  unsupported: "failed",
  protocol: "internal",
  internal: "internal",
};

/** `message`: in place of the engine's own; `field`: of the input, what was refused. */
export function refusalFault(
  kind: ErrorKind,
  message: string,
  detail: { field?: string; cause?: unknown } = {},
): FaultError {
  return new FaultError(kinds[kind], message, detail);
}

/** The fault to raise where `error` came of a request to the volume's engine; one that is neither stays as it is. */
export async function asEngineFault(volume: AttachedVolume, error: unknown, field?: string): Promise<unknown> {
  if (error instanceof EngineRefused) return refusalFault(error.kind, error.message, { field, cause: error });
  if (error instanceof EngineGone) return engineUnreachable(volume, error);
  return error;
}
