import { Metadata } from "./metadata.js";
import type { Unpacked } from "./packed.js";
import type { Code, Detail, Fault, Status } from "./types.js";

/** The codes' names, by number. */
export const codeNames = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
] as const;

const faults: readonly Fault[] = ["none", "peer", "transport", "misuse", "local"];

export const CANCELLED = 1;
export const UNKNOWN = 2;
export const INVALID_ARGUMENT = 3;
export const FAILED_PRECONDITION = 9;
export const INTERNAL = 13;

export const FAULT_PEER = 1;
export const FAULT_MISUSE = 3;
export const FAULT_LOCAL = 4;

/** A status as the core tells it: `[code, raw code, message, fault]`. */
export type RawStatus = [number, number, string, number];

/** How a call ended, as an error: thrown by what could not be done because of it. */
export class RpcError extends Error implements Status {
  override readonly name = "RpcError";
  readonly code: Code;
  readonly codeName: string;
  readonly rawCode: number;
  /** The message without the code's name in front. */
  readonly rawMessage: string;
  readonly details: readonly Detail[];
  readonly trailers: Metadata;
  readonly fault: Fault;

  constructor(status: Status) {
    // The console shows the message only, so the code stands in it.
    super(
      `${status.codeName}: ${status.message}`,
      status.cause === undefined ? undefined : { cause: status.cause },
    );
    this.code = status.code;
    this.codeName = status.codeName;
    this.rawCode = status.rawCode;
    this.rawMessage = status.message;
    this.details = status.details;
    this.trailers = status.trailers;
    this.fault = status.fault;
  }

  /** Whether `thrown` is an RpcError, of this or another copy of the package. */
  static is(thrown: unknown): thrown is RpcError {
    return (
      thrown instanceof RpcError ||
      (thrown instanceof Error && thrown.name === "RpcError" && "rawCode" in thrown)
    );
  }
}

/** A public status from the core's. */
export function toStatus(
  raw: RawStatus,
  { metadata, details }: Unpacked = { metadata: new Metadata(), details: () => [] },
  cause?: unknown,
): Status {
  const [code, rawCode, message, fault] = raw;
  const status = {
    code: code as Code,
    codeName: codeNames[code] ?? "UNKNOWN",
    rawCode,
    message,
    details: details(),
    trailers: metadata,
    fault: faults[fault] ?? "peer",
  };
  return cause === undefined ? status : { ...status, cause };
}

/** The error of a status of ours. */
export function failure(code: number, message: string, fault: number, cause?: unknown): RpcError {
  return new RpcError(toStatus([code, code, message, fault], undefined, cause));
}
