/** What stands under a name in the public API, and under its place here in the core. */
import type { CallKind, Protocol, TransportName } from "./types.js";

export const kinds: readonly CallKind[] = ["unary", "server_stream", "client_stream", "bidi"];

export const protocols: readonly Protocol[] = [
  "auto",
  "grpc",
  "grpc-web",
  "grpc-web-text",
  "connect",
  "triple",
];

export const transports: readonly ("auto" | TransportName)[] = [
  "fetch",
  "grpc-websockets",
  "tidewire.v1",
  "triple-websocket",
  "auto",
];

/** What is wrong with a name, if it is none of them. */
export function unknownName(what: string, names: readonly string[], name: string): string | undefined {
  if (names.includes(name)) return undefined;
  return `there is no ${what} "${name}"; there are ${names.join(", ")}`;
}
