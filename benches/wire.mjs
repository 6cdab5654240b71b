// The few bytes that a client without a codec needs.

/** `bench.Spec`. */
export function spec({ count = 0, size = 0, piece = 0 }) {
  return Uint8Array.from([8, ...varint(count), 16, ...varint(size), 24, ...varint(piece)]);
}

/** `bench.Payload` of so many bytes. */
export function payload(size) {
  const head = [10, ...varint(size)];
  const bytes = new Uint8Array(head.length + size).fill(120);
  bytes.set(head);
  return bytes;
}

/** A message behind its five bytes. */
export function framed(message) {
  const bytes = new Uint8Array(5 + message.length);
  new DataView(bytes.buffer).setUint32(1, message.length);
  bytes.set(message, 5);
  return bytes;
}

/** The hand-written deframer: hands on each message of a body as a view, and the trailers to nobody. */
export class Deframer {
  #rest = new Uint8Array(0);
  #each;

  constructor(each) {
    this.#each = each;
  }

  push(chunk) {
    let bytes = chunk;
    if (this.#rest.length > 0) {
      bytes = new Uint8Array(this.#rest.length + chunk.length);
      bytes.set(this.#rest);
      bytes.set(chunk, this.#rest.length);
    }
    let at = 0;
    while (at + 5 <= bytes.length) {
      const length =
        ((bytes[at + 1] << 24) | (bytes[at + 2] << 16) | (bytes[at + 3] << 8) | bytes[at + 4]) >>> 0;
      const end = at + 5 + length;
      if (end > bytes.length) break;
      if (bytes[at] === 0) this.#each(bytes.subarray(at + 5, end));
      at = end;
    }
    this.#rest = bytes.subarray(at);
  }
}

function varint(value) {
  const bytes = [];
  for (; value > 127; value >>>= 7) bytes.push((value & 127) | 128);
  return [...bytes, value];
}
