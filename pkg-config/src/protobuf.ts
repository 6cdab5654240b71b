const LENGTH_DELIMITED = 2;

/** The length-delimited fields of a protobuf message, by number and in order; the others are skipped. */
export function fieldsOf(message: Uint8Array): [number: number, value: Uint8Array][] {
  const fields: [number, Uint8Array][] = [];
  let at = 0;
  const cut = () => new RangeError(`a protobuf message of ${message.length} bytes is cut or is none`);
  const number = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 0x80) {
      const byte = message[at++];
      if (byte === undefined || factor > 2 ** 63) throw cut();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const tag = number();
    const kind = tag % 8;
    const length = kind === LENGTH_DELIMITED ? number() : [undefined, 8, 0, 0, 0, 4][kind];
    if (kind === 0) number();
    else if (length === undefined || kind === 3 || kind === 4 || at + length > message.length) throw cut();
    else {
      if (kind === LENGTH_DELIMITED) fields.push([(tag - kind) / 8, message.subarray(at, at + length)]);
      at += length;
    }
  }
  return fields;
}
