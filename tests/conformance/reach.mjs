/** How a client reaches the server of a case. */

export function throughGateway(gateway, { port }) {
  return { baseUrl: `${gateway}/to/${port}`, transport: "tidewire.v1" };
}

/** By fetch. Where the runtime cannot stream requests, they are collected. */
export function toServer({ host, port, serverTlsCert }) {
  const scheme = serverTlsCert.length > 0 ? "https" : "http";
  return { baseUrl: `${scheme}://${host}:${port}`, transport: "fetch", bufferRequestBytes: 1024 * 1024 };
}
