import { GrpcWebFetchTransport } from "@protobuf-ts/grpcweb-transport";
import { BenchClient } from "../gen/protobuf-ts/bench.client.js";

const transport = new GrpcWebFetchTransport({ baseUrl: `${location.origin}/direct`, format: "binary" });
const { response } = await new BenchClient(transport).unary({ count: 0, size: 100, piece: 0 });
globalThis.done = { ms: performance.now(), bytes: response.data.length };
