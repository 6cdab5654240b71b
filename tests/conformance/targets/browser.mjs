import { createServer } from "node:http";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { WebSocketServer } from "ws";

const html = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>conformance</title>
<script type="module" src="/page.js"></script>`;

/**
 * A page that runs cases. They travel on a WebSocket between us and it: requests there, responses back in whatever order
 * they come, numbered by their first bytes. `open(url)` opens a page in a browser. `rust`: what wasm-bindgen made of the
 * client in Rust, which runs them then.
 */
export async function launchPage({ descriptors, gateway, text, rust, open, close }) {
  const page = rust ? "../rust-page.mjs" : "../page.mjs";
  const bundle = await build({
    entryPoints: [fileURLToPath(new URL(page, import.meta.url))],
    bundle: true,
    format: "esm",
    write: false,
    alias: rust && { "conformance-rust": join(rust, "conformance_rust.js") },
  });
  const server = serve({
    "/": ["text/html", html],
    "/page.js": ["text/javascript", bundle.outputFiles[0].contents],
    "/messages": ["application/octet-stream", descriptors],
    "/settings": ["application/json", JSON.stringify({ gateway, text })],
    ...(rust && {
      "/rust.wasm": ["application/wasm", await readFile(join(rust, "conformance_rust_bg.wasm"))],
    }),
  });
  const sockets = new WebSocketServer({ server });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  let line;

  async function connect() {
    const connected = once(sockets, "connection");
    await open(`http://127.0.0.1:${server.address().port}/`);
    const [socket] = await connected;
    // A page that has crashed takes its cases along; the next case gets another page.
    socket.on("close", () => (line = undefined));
    return new Line(socket);
  }

  const run = async (request) => (await (line ??= connect())).ask(request);
  line = connect();
  await line;
  return { run, close };
}

function serve(files) {
  return createServer(({ url }, response) => {
    const [type, content] = files[url] ?? ["text/plain"];
    response.writeHead(content ? 200 : 404, { "content-type": type }).end(content);
  });
}

/** Questions and answers over a WebSocket. */
class Line {
  #socket;
  #waiting = new Map();
  #asked = 0;

  constructor(socket) {
    this.#socket = socket;
    socket.on("message", (message) => {
      const number = message.readUInt32BE();
      this.#waiting.get(number)?.resolve(message.subarray(4));
      this.#waiting.delete(number);
    });
    socket.on("close", () => {
      for (const { reject } of this.#waiting.values()) reject(new Error("the page is gone"));
    });
  }

  ask(request) {
    const number = this.#asked++;
    const head = Buffer.alloc(4);
    head.writeUInt32BE(number);
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, { resolve, reject });
      this.#socket.send(Buffer.concat([head, request]));
    });
  }
}
