import type { Fault } from "@/server/core/contracts/link";

/** An expected failure on its way to whoever asked; `fault` is what they are told. */
export class FaultError extends Error {
  readonly fault: Fault;

  constructor(fault: Fault, options?: ErrorOptions) {
    super(fault.message, options);
    this.name = "FaultError";
    this.fault = fault;
  }
}

/** The connection stands, and the worker did not answer in time: whether it has done what was asked is not known. */
export class UnansweredError extends FaultError {
  override name = "UnansweredError";
}

type More = Partial<Pick<Fault, "field" | "code" | "evidence">>;

/** Makes the error; `throw fault("notFound", "There is no job …")`. */
export function fault(kind: Fault["kind"], message: string, more: More = {}): FaultError {
  return new FaultError({ kind, message, field: null, code: null, ...more });
}
