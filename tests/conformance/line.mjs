/**
 * The page's end of its line to the host. Requests come in the order in which they are asked, numbered by their first
 * bytes; responses go in whatever order they are there.
 */
export function answerBy(run) {
  const socket = new WebSocket(location.origin.replace("http", "ws"));
  socket.binaryType = "arraybuffer";
  socket.onmessage = async ({ data }) => {
    const response = await run(new Uint8Array(data, 4));
    socket.send(new Blob([data.slice(0, 4), response]));
  };
}

export async function settings() {
  return (await fetch("/settings")).json();
}
