import {
  create,
  createFileRegistry,
  fromBinary,
  fromJsonString,
  toBinary,
  toJsonString,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

const PACKAGE = "connectrpc.conformance.v1";

/** The suite's messages, from the descriptors of its own `.proto` files. */
export class Messages {
  #registry;

  /** `descriptors`: a serialised `google.protobuf.FileDescriptorSet`. */
  constructor(descriptors) {
    this.#registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptors));
  }

  decode(name, bytes) {
    return fromBinary(this.#message(name), bytes);
  }

  encode(name, message) {
    const schema = this.#message(name);
    return toBinary(schema, create(schema, message));
  }

  /** The number of an enum's value. */
  number(name, value) {
    return this.#registry.getEnum(`${PACKAGE}.${name}`).values.find(({ localName }) => localName === value)
      .number;
  }

  method(service, name) {
    const method = this.#registry.getService(service)?.methods.find((method) => method.name === name);
    if (!method) throw new Error(`this client knows no method ${service}/${name}`);
    return method;
  }

  /** The message in a `google.protobuf.Any`, which is to be one of `method`'s requests. */
  request(method, { typeUrl, value }) {
    const name = typeUrl.slice(typeUrl.lastIndexOf("/") + 1);
    if (name !== method.input.typeName) throw new Error(`${method.name} takes no ${name}`);
    return fromBinary(method.input, value);
  }

  /** What the package calls a codec, for the messages of a method. */
  codec({ input, output }, json) {
    const registry = this.#registry;
    if (!json) {
      return { encode: (message) => toBinary(input, message), decode: (bytes) => fromBinary(output, bytes) };
    }
    const utf8 = { encode: new TextEncoder(), decode: new TextDecoder() };
    return {
      contentSubtype: "json",
      encode: (message) => utf8.encode.encode(toJsonString(input, message, { registry })),
      decode: (bytes) => fromJsonString(output, utf8.decode.decode(bytes), { registry }),
    };
  }

  #message(name) {
    return this.#registry.getMessage(`${PACKAGE}.${name}`);
  }
}
