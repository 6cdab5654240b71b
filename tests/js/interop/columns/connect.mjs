import { overHttp2 } from "./http2.mjs";
import { exceptBidi, isRefusedByVersion } from "./half-duplex.mjs";

const overHttp1 = exceptBidi(
  "connect-go refuses bidi calls over HTTP/1.1 with 505: connectrpc/connect-go, `handler.go`, `ServeHTTP`",
  isRefusedByVersion,
);

const connectGo = { peer: "connect-go", title: "connect-go 1.21.1" };

export default [
  {
    ...connectGo,
    way: "gRPC-Web",
    transport: "fetch",
    url: (env) => `http://${env.peers["connect-go"].on}`,
    ...overHttp1,
  },
  ...overHttp2({ ...connectGo, way: "gRPC-Web" }),
  {
    ...connectGo,
    way: "Connect",
    transport: "fetch",
    protocol: "connect",
    url: (env) => `http://${env.peers["connect-go"].on}`,
    ...overHttp1,
  },
  ...overHttp2({ ...connectGo, way: "Connect", protocol: "connect" }),
  {
    ...connectGo,
    way: "gateway, `tidewire.v1`, Connect",
    transport: "tidewire.v1",
    protocol: "connect",
    url: (env) => `${env.origin}/connect-go`,
  },
];
