// What Tidewire is held to. Each bar gives the figure that counts, or none where its case did not run.
import { best, figure, median, ratio, rowsOf } from "./figures.mjs";

const raw = "raw fetch";
const deframed = "raw fetch, deframed";
const fetched = "Tidewire, fetch";
const batches = "Tidewire, fetch, batches";
const socket = "Tidewire, tidewire.v1";
const connect = "connect-web, gRPC-Web";
const nice = "nice-grpc-web, fetch";
const rust = "Tidewire in Rust, fetch";
const rustSocket = "Tidewire in Rust, tidewire.v1";
const predecessor = "tonic-web-wasm-client";
const niceSocket = "nice-grpc-web, WebSocket";
const fetchPeers = [connect, "connect-web, Connect", nice, "protobuf-ts", "grpc-web"];

const atMost = (limit) => ({ limit: `≤ ${limit}`, met: (value) => value <= limit });
const atLeast = (limit) => ({ limit: `≥ ${limit}`, met: (value) => value >= limit });

export const bars = [
  {
    what: "100 B messages, `for await`: CPU ÷ hand-written deframer",
    ...atMost(1.4),
    of: (results) => ratio(inPage(results, "stream-100B"), fetched, deframed, "cpu"),
  },
  {
    what: "100 B messages: connect-web's CPU ÷ Tidewire's",
    ...atLeast(5),
    of: (results) => ratio(inPage(results, "stream-100B"), connect, fetched, "cpu"),
  },
  {
    what: "100 B messages: nice-grpc-web's CPU ÷ Tidewire's",
    ...atLeast(1.8),
    of: (results) => ratio(inPage(results, "stream-100B"), nice, fetched, "cpu"),
  },
  {
    what: "100 B messages in batches: CPU ÷ hand-written deframer",
    ...atMost(1.1),
    of: (results) => ratio(inPage(results, "stream-100B"), batches, deframed, "cpu"),
  },
  {
    what: "records, protobuf-es: µs of CPU a record above the codec alone",
    ...atMost(1.5),
    of(results) {
      const rows = inPage(results, "records");
      const [all, codec] = ["Tidewire, fetch, protobuf-es", "protobuf-es alone"].map(
        (client) => rows[client],
      );
      return all && codec && median(all.map(({ cpu }, n) => (cpu - codec[n].cpu) / 50));
    },
  },
  {
    what: "records, protobuf-es: connect-web's CPU ÷ Tidewire's",
    ...atLeast(1.6),
    of: (results) => ratio(inPage(results, "records"), connect, "Tidewire, fetch, protobuf-es", "cpu"),
  },
  {
    what: "records, ts-proto: CPU ÷ nice-grpc-web's",
    ...atMost(1),
    of: (results) => ratio(inPage(results, "records"), "Tidewire, fetch, ts-proto", nice, "cpu"),
  },
  {
    what: "64 KiB messages: CPU ÷ raw fetch",
    ...atMost(1.15),
    of: (results) => ratio(inPage(results, "stream-64KiB"), fetched, raw, "cpu"),
  },
  {
    what: "16 MiB message in 4 KiB pieces, Node: CPU ÷ raw reader",
    ...atMost(2),
    of: (results) => ratio(rowsOf(results, "node", "message-16MiB"), fetched, raw, "cpu"),
  },
  {
    what: "unary over fetch: CPU ÷ raw fetch",
    ...atMost(1.05),
    of: (results) => ratio(inPage(results, "unary"), fetched, raw, "cpu"),
  },
  ...["cpu", "ms"].flatMap((what) => [
    {
      what: `unary over an open tidewire.v1: ${words(what)} ÷ fastest fetch client`,
      ...atMost(0.25),
      of: (results) => againstFetch(inPage(results, "unary"), what),
    },
    {
      what: `32 unary in flight over tidewire.v1: ${words(what)} ÷ fastest fetch client`,
      ...atMost(0.125),
      of: (results) => againstFetch(inPage(results, "unary-32"), what),
    },
  ]),
  ...[
    ["100 B messages", "stream-100B", rust, 1],
    ["64 KiB messages", "stream-64KiB", rust, 0.85],
    ["unary over fetch", "unary", rust, 0.85],
    ["unary over an open tidewire.v1", "unary", rustSocket, 0.85],
    ["32 unary in flight over fetch", "unary-32", rust, 0.8],
    ["32 unary in flight over tidewire.v1", "unary-32", rustSocket, 0.8],
  ].map(([what, name, client, limit]) => ({
    what: `${what}, Rust: CPU ÷ tonic-web-wasm-client's`,
    ...atMost(limit),
    of: (results) => ratio(inPage(results, name), client, predecessor, "cpu"),
  })),
  {
    what: "bidi ping-pong: median round trip ÷ raw WebSocket echo",
    ...atMost(1.15),
    of: (results) => ratio(inPage(results, "pingpong"), socket, "raw WebSocket", "ms"),
  },
  {
    what: "bidi flood: nice-grpc-web's time over WebSocket ÷ Tidewire's",
    ...atLeast(15),
    of: (results) => ratio(inPage(results, "flood"), niceSocket, socket, "ms"),
  },
  {
    what: "1,000 server streams at once: time ÷ best peer",
    ...atMost(0.25),
    of(results) {
      const rows = inPage(results, "open-1000");
      return ratio(rows, socket, best(rows, fetchPeers, "ms"), "ms");
    },
  },
  {
    what: "gateway, server stream of 100 B: messages a second of one processor",
    ...atLeast(100_000),
    of: ({ gateway }) => gateway && median(gateway.flood),
  },
  {
    what: "gateway, bidi echo of 100 B: messages a second of one processor",
    ...atLeast(100_000),
    of: ({ gateway }) => gateway && median(gateway.echo),
  },
  {
    what: "gateway: kB of an idle stream",
    ...atMost(30),
    of: ({ gateway }) => gateway && median(gateway.idle),
  },
  {
    what: "gateway: ms added to the 99th of 100 round trips",
    ...atMost(0.3),
    of: ({ gateway }) => gateway && median(gateway.added.map(({ p99 }) => p99)),
  },
  {
    what: "download of the runtime, bytes of brotli",
    ...atMost(30_000),
    of: (results) => results.sizes.tidewire.runtime.brotli,
  },
  {
    what: "cold start to the first unary reply: time ÷ connect-web's",
    ...atMost(1),
    of({ cold: { tidewire, connect } }) {
      return tidewire && median(tidewire.map((ms, n) => ms / connect[n]));
    },
  },
];

function inPage(results, name) {
  return rowsOf(results, "chromium", name);
}

function againstFetch(rows, what) {
  return ratio(rows, socket, best(rows, fetchPeers, what), what);
}

function words(what) {
  return { cpu: "CPU", ms: "time" }[what];
}
