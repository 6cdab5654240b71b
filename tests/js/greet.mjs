/** The messages of `greet.GreetService`: both have one string in field 1. */

const service = "/greet.GreetService";

export const paths = {
  unary: `${service}/Greet`,
  server_stream: `${service}/GreetServerStream`,
  client_stream: `${service}/GreetClientStream`,
  bidi: `${service}/GreetStream`,
  unknown: `${service}/Missing`,
};

const STRING_FIELD_1 = 0x0a;
const utf8 = { encode: new TextEncoder(), decode: new TextDecoder() };

export const greetCodec = { encode: encodeText, decode: decodeText };

/** The same in protobuf's JSON. */
export const greetJson = {
  contentSubtype: "json",
  encode: (name) => utf8.encode.encode(JSON.stringify({ name })),
  decode: (bytes) => JSON.parse(utf8.decode.decode(bytes)).greeting,
};

export function encodeText(text) {
  const body = utf8.encode.encode(text);
  const head = [STRING_FIELD_1, ...varint(body.length)];
  const message = new Uint8Array(head.length + body.length);
  message.set(head);
  message.set(body, head.length);
  return message;
}

export function decodeText(bytes) {
  if (bytes.length === 0) return "";
  if (bytes[0] !== STRING_FIELD_1) throw new Error(`not a greeting: starts with byte ${bytes[0]}`);
  let at = 1;
  let length = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++];
    length += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  if (at + length !== bytes.length) {
    throw new Error(`a greeting of ${length} bytes in ${bytes.length - at} bytes: cut or glued`);
  }
  return utf8.decode.decode(bytes.subarray(at));
}

function varint(value) {
  const bytes = [];
  for (; value >= 0x80; value >>>= 7) bytes.push((value & 0x7f) | 0x80);
  return [...bytes, value];
}
