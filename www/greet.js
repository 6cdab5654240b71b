// @ts-check
/**
 * All the protobuf this page needs: `{ string name = 1; }` out, `{ string greeting = 1; }` in.
 * Any codec with `encode` and `decode` does: protobuf-es, ts-proto, protobufjs, JSON.
 */
export const codec = {
  /** @param {string} name */
  encode(name) {
    const text = new TextEncoder().encode(name);
    return Uint8Array.from([TEXT_IN_FIELD_1, ...varint(text.length), ...text]);
  },

  /** @param {Uint8Array} bytes */
  decode(bytes) {
    let greeting = "";
    for (const [tag, value] of fields(bytes)) {
      if (tag === TEXT_IN_FIELD_1) greeting = new TextDecoder().decode(value);
    }
    return greeting;
  },
};

const TEXT_IN_FIELD_1 = (1 << 3) | 2;

/** @param {number} n */
function varint(n) {
  const out = [];
  for (; n > 127; n >>>= 7) out.push((n & 127) | 128);
  return [...out, n];
}

/**
 * Tag and bytes of each field; unknown ones are passed over by their wire type, as protobuf asks.
 * @param {Uint8Array} bytes
 * @returns {Generator<[number, Uint8Array]>}
 */
function* fields(bytes) {
  let at = 0;
  const number = () => {
    for (let value = 0, factor = 1; at < bytes.length; factor *= 128) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
    throw new Error("the reply is not protobuf: it ends inside a number");
  };
  while (at < bytes.length) {
    const tag = number();
    const start = { 0: () => (number(), 0), 1: () => 8, 2: number, 5: () => 4 }[tag & 7];
    if (!start) throw new Error(`the reply is not protobuf: field tag ${tag} has no known wire type`);
    const size = start();
    if (at + size > bytes.length)
      throw new Error("the reply is not protobuf: a field is longer than the message");
    yield [tag, bytes.subarray(at, (at += size))];
  }
}
