/**
 * Dubbo services without IDL. Their arguments and results are serialized by a serializer that both sides know, and
 * travel inside three small protobuf messages (dubbo's `triple_wrapper.proto`), which are read and written here.
 */
import { failure, FAULT_PEER, UNKNOWN, type RpcError } from "./error.js";
import { fieldsOf } from "./protobuf.js";
import type { CallOptions, Client, Codec, UnaryResponse } from "./types.js";

/** Turns Java values into bytes and back: Hessian2 by a package such as `hessian.js`, or whatever the server has. */
export interface TripleSerializer {
  /** As the server knows it. Hessian2 is `hessian4` here. */
  readonly serializeType: string;
  /** One argument, of the Java type that the method declares. */
  serialize(argument: unknown, type: string): Uint8Array;
  /** A result, of the Java type that the server names. */
  deserialize(bytes: Uint8Array, type: string): unknown;
  /** What was thrown; without this an exception has no name and no words. */
  deserializeException?(bytes: Uint8Array): { readonly className: string; readonly message?: string };
}

/** What a method threw: the cause of the {@link RpcError}. */
export interface TripleException {
  /** `java.lang.IllegalStateException`, or nothing where the serializer cannot tell. */
  readonly className: string;
  readonly message: string;
  /** The exception as it was serialized. */
  readonly bytes: Uint8Array;
}

/** Wraps the arguments of a method, and unwraps its results. For streams, one message is one argument. */
export function tripleCodec<Res = unknown>(
  argTypes: readonly string[],
  serializer: TripleSerializer,
): Codec<readonly unknown[], Res> {
  return {
    encode: (args) => encodeRequest(argTypes, args, serializer),
    decode(bytes) {
      const wrapper = decodeWrapper(bytes);
      if (wrapper.thrown) throw toError(wrapper.data, serializer, wrapper.className);
      return serializer.deserialize(wrapper.data, wrapper.type) as Res;
    },
  };
}

/**
 * Calls a unary method. An exception is an {@link RpcError} with code UNKNOWN, the exception's class name and words in its
 * message, and a {@link TripleException} as its cause: dubbo-java sends it as a result of status OK, with the header
 * `tri-exception-code`.
 */
export async function tripleUnary<Res = unknown>(
  client: Client,
  path: string,
  argTypes: readonly string[],
  args: readonly unknown[],
  serializer: TripleSerializer,
  options: Omit<CallOptions, "codec"> = {},
): Promise<UnaryResponse<Res>> {
  const request = encodeRequest(argTypes, args, serializer);
  const response = await client.unary(path, request, options);
  const wrapper = decodeWrapper(response.message);
  if (wrapper.thrown || response.headers.has("tri-exception-code")) {
    throw toError(wrapper.data, serializer, wrapper.className);
  }
  return { ...response, message: serializer.deserialize(wrapper.data, wrapper.type) as Res };
}

function toError(bytes: Uint8Array, serializer: TripleSerializer, named: string): RpcError {
  const { className, message = "" } = serializer.deserializeException?.(bytes) ?? { className: named };
  const cause: TripleException = { className, message, bytes };
  const words = [className || "the method threw an exception that the serializer cannot read", message];
  return failure(UNKNOWN, words.filter(Boolean).join(": "), FAULT_PEER, cause);
}

const LENGTH_DELIMITED = 2;
const utf8 = { encoder: new TextEncoder(), decoder: new TextDecoder() };

/** `TripleRequestWrapper`: 1 serializeType, 2 args, 3 argTypes. */
function encodeRequest(
  argTypes: readonly string[],
  args: readonly unknown[],
  serializer: TripleSerializer,
): Uint8Array {
  if (args.length !== argTypes.length) {
    throw new TypeError(`the method takes ${argTypes.length} arguments; it was given ${args.length}`);
  }
  return join([
    field(1, utf8.encoder.encode(serializer.serializeType)),
    ...args.map((argument, at) => field(2, serializer.serialize(argument, argTypes[at]!))),
    ...argTypes.map((type) => field(3, utf8.encoder.encode(type))),
  ]);
}

/**
 * `TripleResponseWrapper`: 1 serializeType, 2 data, 3 type. `TripleExceptionWrapper`: 1 language, 2 serialization,
 * 3 className, 4 data; it alone has a field 4, which is never empty.
 */
function decodeWrapper(bytes: Uint8Array) {
  const fields = new Map(fieldsOf(bytes));
  const exception = fields.get(4);
  const name = utf8.decoder.decode(fields.get(3));
  return {
    thrown: exception !== undefined,
    data: exception ?? fields.get(2) ?? new Uint8Array(),
    type: exception ? "" : name,
    className: exception ? name : "",
  };
}

function field(number: number, value: Uint8Array): Uint8Array {
  return join([varint((number << 3) | LENGTH_DELIMITED), varint(value.length), value]);
}

function varint(value: number): Uint8Array {
  const bytes = [];
  for (; value >= 0x80; value = Math.floor(value / 0x80)) bytes.push((value % 0x80) | 0x80);
  return Uint8Array.from([...bytes, value]);
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
