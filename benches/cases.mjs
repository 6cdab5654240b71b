// What is measured, and against what: `reference` is the row to which each round's figures are set.

const raw = "raw fetch";
const deframed = "raw fetch, deframed";
const fetched = "Tidewire, fetch";
const batches = "Tidewire, fetch, batches";
const socket = "Tidewire, tidewire.v1";
const rust = "Tidewire in Rust, fetch";
const rustSocket = "Tidewire in Rust, tidewire.v1";
/** The client of Rust programs before. */
const predecessor = "tonic-web-wasm-client";
const connects = ["connect-web, gRPC-Web", "connect-web, Connect"];
const nice = "nice-grpc-web, fetch";
const niceSocket = "nice-grpc-web, WebSocket";
const pbts = "protobuf-ts";
const google = "grpc-web";

const peers = [...connects, nice, pbts, google];

/**
 * A small operation costs some per cent more in one page or process than in another of the same client, for all of its
 * life: so its rounds are run in several `sets`, which open the clients anew. What else the machine does moves it within
 * seconds: so the rounds are short, which takes more of them until all is compiled: `warm`, which are not counted.
 */
const small = { sets: 4, warm: 2 };

export const cases = [
  {
    name: "stream-100B",
    title: "Server stream, 100,000 messages of 100 bytes",
    params: { op: "stream", count: 100_000, size: 100 },
    reference: deframed,
    clients: [raw, deframed, fetched, batches, socket, rust, predecessor, ...peers],
  },
  {
    name: "records",
    title: "Server stream, 50,000 records of 8 fields, about 120 bytes",
    params: { op: "records", count: 50_000 },
    reference: raw,
    clients: [
      raw,
      "protobuf-es alone",
      "ts-proto alone",
      "Tidewire, fetch, protobuf-es",
      "Tidewire, fetch, ts-proto",
      rust,
      predecessor,
      ...peers,
    ],
  },
  {
    name: "stream-64KiB",
    title: "Server stream, 2,000 messages of 64 KiB",
    params: { op: "stream", count: 2_000, size: 65_536 },
    reference: raw,
    clients: [raw, deframed, fetched, socket, rust, predecessor, ...connects, nice, pbts],
  },
  {
    name: "message-16MiB",
    title: "One message of 16 MiB that comes in pieces of 4 KiB",
    params: { op: "stream", count: 1, size: 16 * 1024 * 1024, piece: 4096 },
    reference: raw,
    clients: [raw, fetched, connects[0], nice, pbts],
    runtimes: ["node"],
  },
  {
    name: "unary",
    title: "Unary calls of 100 bytes, one after the other",
    ...small,
    params: { op: "unary", count: 150, size: 100, inFlight: 1 },
    reference: raw,
    clients: [raw, fetched, socket, rust, rustSocket, predecessor, ...peers],
  },
  {
    name: "unary-32",
    title: "Unary calls of 100 bytes, 32 in flight",
    ...small,
    params: { op: "unary", count: 256, size: 100, inFlight: 32 },
    reference: raw,
    clients: [raw, fetched, socket, rust, rustSocket, predecessor, ...peers],
  },
  {
    name: "pingpong",
    title: "Bidi ping-pong, 100 bytes",
    ...small,
    params: { op: "pingpong", count: 500, size: 100 },
    reference: "raw WebSocket",
    clients: ["raw WebSocket", socket, rustSocket, niceSocket],
  },
  {
    name: "flood",
    title: "Bidi flood, 10,000 messages of 100 bytes there and back",
    params: { op: "flood", count: 10_000, size: 100 },
    reference: niceSocket,
    clients: ["raw WebSocket", socket, rustSocket, niceSocket],
  },
  {
    name: "open-1000",
    title: "1,000 server streams at once, of 10 messages each",
    params: { op: "open", count: 1_000, each: 10, size: 100 },
    reference: nice,
    clients: [fetched, socket, connects[0], nice, pbts],
  },
];

/** grpc-web stands on XMLHttpRequest. */
const browserOnly = [google];

/** What stands behind the name of a client of another build. */
export const BEFORE = " (before)";

/** The clients of a case in a runtime, those in Rust where they are built; of what `before` has, another build, too. */
export function clientsOf(theCase, runtime, builds, before) {
  if (theCase.runtimes && !theCase.runtimes.includes(runtime)) return [];
  const runs = (name) =>
    (runtime !== "node" || !browserOnly.includes(name)) && (moduleOf(name) !== "rust" || builds.rust);
  const isOther = (name) => before[moduleOf(name)] && name !== batches && name !== predecessor;
  return theCase.clients.filter(runs).flatMap((name) => (isOther(name) ? [name, name + BEFORE] : name));
}

/** The name that a client has in its own file. */
export function nameOf(client) {
  return client.replace(BEFORE, "");
}

/** Which file has a client. */
export function moduleOf(name) {
  const files = {
    "Tidewire in Rust": "rust",
    [predecessor]: "rust",
    Tidewire: "tidewire",
    raw: "raw",
    connect: "connect",
    nice: "nice",
  };
  if (name.endsWith(" alone")) return "raw";
  if (name.endsWith(BEFORE)) return `${moduleOf(nameOf(name))}-before`;
  return Object.entries(files).find(([start]) => name.startsWith(start))?.[1] ?? name;
}

/** A tiny version of a case: it proves that everything still runs, and measures nothing. */
export function smoke(theCase) {
  const { count, ...rest } = theCase.params;
  return { ...theCase, sets: 1, params: { ...rest, count: Math.ceil(count / 100) } };
}
