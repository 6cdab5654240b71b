import { equal, ok } from "../../assert.mjs";
import { UNKNOWN } from "../../codes.mjs";
import { encodeText, paths } from "../../greet.mjs";
import { throughGateway } from "./gateway.mjs";

const versions = ["v3.2.0-rc2", "v3.3.0", "v3.3.2"];

/** Since v3.3.0 dubbo-go drops the details of a failure: tests/peers/dubbo-go/README.md. */
const peer = (version) => ({
  peer: `dubbo-go-${version}`,
  title: `dubbo-go ${version}`,
  details: version === "v3.2.0-rc2",
});

/** dubbo-go itself, from a page of another origin: CORS and TLS came late, gRPC-Web never. */
const direct = {
  ...peer("v3.3.2"),
  transport: "fetch",
  protocol: "grpc-web",
  kinds: [],
  lacks: {
    note: "dubbo-go takes no gRPC-Web: 415; its gRPC tells the status in HTTP trailers, which `fetch` does not show (`newProtocolHandlers` in `protocol/triple/triple_protocol/handler.go`)",
    shown: takesNoGrpcWeb,
  },
};

export default [
  ...versions.flatMap((version) => throughGateway(peer(version))),
  { ...direct, way: "directly, by its own CORS", url: (env) => `http://${env.peers[direct.peer].on}` },
  {
    ...direct,
    peer: "dubbo-go-v3.3.2-tls",
    way: "directly, by its own CORS, TLS and HTTP/2",
    runtimes: ["chromium"],
    url: (env) => `https://${env.peers["dubbo-go-v3.3.2-tls"].on}`,
  },
];

async function takesNoGrpcWeb(t) {
  t.kind = "unary";
  await t.endedWith(t.begin(), { code: UNKNOWN, fault: "peer", message: /HTTP 415/ });
  equal(await t.observed.now(), [], "what the service saw");

  const message = encodeText("Ada");
  const body = Uint8Array.of(0, 0, 0, 0, message.length, ...message);
  const headers = { "content-type": "application/grpc" };
  const answer = await fetch(t.baseUrl + paths.unary, { method: "POST", headers, body });
  ok((await answer.arrayBuffer()).byteLength > body.length, "an answer to native gRPC");
  equal(answer.headers.get("grpc-status"), null, "grpc-status, where fetch could see it");
}
