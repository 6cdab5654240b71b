import { encodeText } from "../greet.mjs";

/** A gRPC message: flag, length, payload. */
export function message(text) {
  return frame(0x00, encodeText(text));
}

/** A gRPC-Web trailer block. */
export function trailers(...lines) {
  return frame(0x80, Buffer.from(lines.map((line) => `${line}\r\n`).join("")));
}

export function frame(flag, payload, length = payload.length) {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt8(flag, 0);
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, payload]);
}

export const okTrailers = trailers("grpc-status: 0");
