import { Payload, Spec } from "../gen/protobuf-ts/bench.js";

const spec = Spec.toBinary({ count: 0, size: 100, piece: 0 });
globalThis.done = [spec, Payload.fromBinary(new Uint8Array())];
