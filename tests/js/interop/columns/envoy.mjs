/** Envoy's `grpc_web` filter. */
import { isNamed } from "./dubbo-go.mjs";
import { overHttp2 } from "./http2.mjs";

const servers = [
  {
    peer: "envoy-dubbo-go",
    server: "dubbo-go-v3.3.2",
    title: "dubbo-go v3.3.2 behind Envoy 1.40.0",
    details: false,
    routes: isNamed,
  },
  { peer: "envoy-tonic", server: "tonic-web", title: "tonic behind Envoy 1.40.0" },
];

export default servers.flatMap((server) => [
  { ...server, way: "gRPC-Web", transport: "fetch", url: (env) => `http://${env.peers[server.peer].on}` },
  ...overHttp2({ ...server, way: "gRPC-Web" }),
]);
