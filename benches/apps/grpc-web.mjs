import { GrpcWebClientBase, MethodDescriptor, MethodType } from "grpc-web";
import { Payload, Spec } from "../gen/ts-proto/bench.js";

const encode = (spec) => Spec.encode(spec).finish();
const decode = (bytes) => Payload.decode(bytes);
const path = "/bench.Bench/Unary";
const method = new MethodDescriptor(path, MethodType.UNARY, Object, Object, encode, decode);
const client = new GrpcWebClientBase({ format: "binary" });
const url = `${location.origin}/direct${path}`;
client.rpcCall(url, Spec.fromPartial({ size: 100 }), {}, method, (error, { data }) => {
  globalThis.done = { ms: performance.now(), bytes: data.length };
});
