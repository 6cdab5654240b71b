import { Payload, Spec } from "../gen/ts-proto/bench.js";

globalThis.done = [Spec.encode(Spec.fromPartial({ size: 100 })).finish(), Payload.decode(new Uint8Array())];
