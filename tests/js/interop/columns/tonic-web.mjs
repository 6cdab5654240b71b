import { losesTheEnd } from "./early-end.mjs";

const peer = "tonic-web";

export default [
  {
    peer,
    title: "tonic with tonic-web 0.14.9",
    way: "gRPC-Web",
    transport: "fetch",
    cells: {
      "ends-early": losesTheEnd(
        "over HTTP/1.1 hyper closes the connection when a response ends before its request; when Node's fetch meets that in a write before it has read the answer, the call ends with UNAVAILABLE instead of the server's status: hyperium/hyper, `src/proto/h1/conn.rs`, `try_keep_alive`",
        { runtimes: ["node"] },
      ),
    },
    url: (env) => `http://${env.peers[peer].on}`,
  },
];
