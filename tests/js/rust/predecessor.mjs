/**
 * Which cases tonic-web-wasm-client fails, how that shows, and what is behind it. A case that is not here has to pass:
 * a table of another's faults must not outlive them.
 */
export const predecessorFails = {
  "interop/ping_pong": hangs(
    "deadlock: all requests are collected before the first is sent, and the second waits for the first's reply",
  ),
  "interop/cancel_after_begin": hangs(
    "nothing is sent before the requests end, so there is nothing to cancel",
  ),
  "interop/cancel_after_first_response": hangs("deadlock: nothing is sent before the requests end"),
  "interop/timeout_on_sleeping_server": hangs(
    "nothing is sent before the requests end, and the deadline is a header only",
  ),
  "life/requests_go_out_as_they_come": hangs("a client stream is collected whole before anything is sent"),
  "life/repeated_metadata": {
    shown: /"x-twice":\["second"\]/,
    note: "of several values of one name only the last is sent",
  },
  "wire/split_trailers": {
    shown: /missing grpc-status trailer/,
    note: "trailers that come in two pieces are lost, and with them the server's status",
  },
  "wire/repeated_trailers": {
    shown: /left: \["second"\]/,
    note: "of several trailers of one name only the last is kept",
  },
  "wire/text_mode": {
    shown: /split_to out of bounds/,
    note: "grpc-web-text panics: the wrong buffer is decoded",
  },
  "wire/deadline_without_the_server": hangs("the deadline is a header that only a server keeps"),
  "wire/http_503": {
    shown: /left: Unknown/,
    note: "UNKNOWN, whatever the HTTP status; gRPC's code is UNAVAILABLE",
  },
};

function hangs(note) {
  return { hangs: true, note };
}
