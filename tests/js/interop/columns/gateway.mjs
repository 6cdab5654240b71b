/** The ways through our own gateway, which the demo server has in front of every peer. */
const ways = [
  { way: "gateway, `tidewire.v1`", transport: "tidewire.v1" },
  { way: "gateway, `grpc-websockets`", transport: "grpc-websockets" },
  { way: "gateway, gRPC-Web", transport: "fetch" },
  { way: "gateway, gRPC-Web over HTTP/2", transport: "fetch", secure: true, runtimes: ["chromium"] },
];

/** One column for each way. `peer`: what they have in common. */
export function throughGateway(peer) {
  return ways.map((way) => ({ ...way, url: (env) => `${env.origin}/${peer.server ?? peer.peer}`, ...peer }));
}
