/** improbable's proxy and wrapper, and the wrapper inside a dubbo-go server. */
import { isNamed } from "./dubbo-go.mjs";
import { losesTheEnd } from "./early-end.mjs";
import { exceptBidi, staysSilent } from "./half-duplex.mjs";

const halfDuplex = exceptBidi(
  "over HTTP/1.1 Go's server reads the whole request before it lets the response begin, unless the handler asks it not to, and improbable's does not ask: net/http, `ResponseController.EnableFullDuplex`; improbable-eng/grpc-web, `go/grpcweb/wrapper.go`, `HandleGrpcWebRequest`",
  staysSilent,
);

const mayLoseTheEnd = losesTheEnd(
  "when a message of ours comes while the wrapper closes the socket, it takes that for a broken frame and cuts the connection; the call then ends with UNAVAILABLE instead of the server's status: nhooyr.io/websocket v1.8.6, `close_notjs.go`, `waitCloseHandshake`, beside `read.go`, `reader`",
);

const ways = (peer, grpcWeb) => [
  { ...peer, way: "`grpc-websockets`", transport: "grpc-websockets", cells: { "ends-early": mayLoseTheEnd } },
  { ...peer, way: "gRPC-Web", transport: "fetch", ...grpcWeb },
];

const proxy = {
  peer: "grpcwebproxy",
  server: "grpc-go",
  title: "grpc-go behind grpcwebproxy 0.15.0",
  url: (env) => `http://${env.peers.grpcwebproxy.on}`,
};

const wrapper = {
  peer: "grpc-go",
  title: "grpc-go in improbable's wrapper 0.15.0",
  url: (env) => `http://${env.peers["grpc-go"].wrapper}`,
};

/** It asks for full duplex: examples/dubbo-go-in-process/web/web.go. */
const inProcess = {
  peer: "dubbo-go-v3.3.2",
  title: "dubbo-go v3.3.2 with improbable's wrapper in its process",
  details: false,
  routes: isNamed,
  url: (env) => `http://${env.peers["dubbo-go-v3.3.2"].on}/web`,
};

/** As tonic-web's server does. */
const fullDuplex = {
  cells: {
    "ends-early": losesTheEnd(
      "over HTTP/1.1 Go's server closes the connection when a response ends before its request; when Node's fetch meets that in a write before it has read the answer, the call ends with UNAVAILABLE instead of the server's status: net/http, `server.go`, `shouldReuseConnection`",
      { runtimes: ["node"] },
    ),
  },
};

export default [...ways(proxy, halfDuplex), ...ways(wrapper, halfDuplex), ...ways(inProcess, fullDuplex)];
