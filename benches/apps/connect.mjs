import { createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { Bench } from "../gen/es/bench_pb.js";

const client = createClient(Bench, createGrpcWebTransport({ baseUrl: `${location.origin}/direct` }));
const { data } = await client.unary({ size: 100 });
globalThis.done = { ms: performance.now(), bytes: data.length };
