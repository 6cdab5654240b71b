// grpc-web takes any codec; its own generator's, google-protobuf, is slower than ts-proto's.
import { GrpcWebClientBase, MethodDescriptor, MethodType } from "grpc-web";
import { Payload, Record, Spec } from "../gen/ts-proto/bench.js";

export const clients = {
  "grpc-web": ({ origin }) => {
    const client = new GrpcWebClientBase({ format: "binary" });
    const url = (method) => `${origin}/direct/bench.Bench/${method}`;
    const unary = describe("Unary", MethodType.UNARY, Payload);
    const stream = (method, reply) => {
      const descriptor = describe(method, MethodType.SERVER_STREAMING, reply);
      return (params) =>
        new Promise((resolve, reject) => {
          let n = 0;
          const call = client.serverStreaming(url(method), Spec.fromPartial(params), {}, descriptor);
          call.on("data", (message) => message && n++);
          call.on("error", reject);
          call.on("end", () => resolve(n));
        });
    };
    return {
      call: (size) =>
        new Promise((resolve, reject) => {
          const done = (error, reply) => (error ? reject(error) : resolve(reply.data.length));
          client.rpcCall(url("Unary"), Spec.fromPartial({ size }), {}, unary, done);
        }),
      stream: stream("ServerStream", Payload),
      records: stream("Records", Record),
    };
  },
};

function describe(method, type, reply) {
  return new MethodDescriptor(
    `/bench.Bench/${method}`,
    type,
    Object,
    Object,
    (request) => Spec.encode(request).finish(),
    (bytes) => reply.decode(bytes),
  );
}
