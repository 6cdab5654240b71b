import { createClient } from "tidewire";
import { Payload, Spec } from "../gen/ts-proto/bench.js";

const codec = { encode: (spec) => Spec.encode(spec).finish(), decode: (bytes) => Payload.decode(bytes) };
const client = await createClient({ baseUrl: `${location.origin}/direct`, transport: "fetch" });
const { message } = await client.unary("/bench.Bench/Unary", Spec.fromPartial({ size: 100 }), { codec });
globalThis.done = { ms: performance.now(), bytes: message.data.length };
