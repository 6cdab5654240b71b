import { createChannel, createClient } from "nice-grpc-web";
import { BenchDefinition } from "../gen/ts-proto/bench.js";

const client = createClient(BenchDefinition, createChannel(`${location.origin}/direct`));
const { data } = await client.unary({ size: 100 });
globalThis.done = { ms: performance.now(), bytes: data.length };
