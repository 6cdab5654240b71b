/** The greeter on Apache dubbo-node: HTTP/1.1 without TLS; HTTP/2 and HTTP/1.1 with it, as browsers want it. */
import { dubboNodeAdapter } from "@apachedubbo/dubbo-node";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { createSecureServer } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GreetService, greeter } from "./greeter.mjs";
import { Observed } from "./observed.mjs";

/** Names the HTTP exchange of a call to its handler, which is given nothing else that could. */
const EXCHANGE = "x-peer-exchange";

const exchanges = new Map();
let count = 0;
const flags = process.argv.slice(2);
const flag = (name) => (flags.includes(name) ? Number(flags[flags.indexOf(name) + 1]) : 0);
const observed = new Observed();
const adapter = dubboNodeAdapter({
  routes: (router) =>
    router.service(
      GreetService,
      greeter(observed, ({ requestHeader }) => exchanges.get(requestHeader.get(EXCHANGE))),
    ),
});
const log = await listening(observed.server(), flag("-observed-port"));
const plain = await listening(createServer(open), flag("-port"));
const secure = await listening(createSecureServer({ ...selfSigned(), allowHTTP1: true }, open), 0);
console.log(`listening on ${plain} observed ${log} tls ${secure}`);
if (flags.includes("-exit-on-stdin-eof")) process.stdin.on("end", () => process.exit()).resume();

/** The calls, with CORS open. */
function open(request, response) {
  response.setHeader("access-control-allow-origin", "*");
  response.setHeader("access-control-expose-headers", "*");
  if (request.method !== "OPTIONS") return serve(request, response);
  response.setHeader("access-control-allow-methods", "POST");
  response.setHeader("access-control-allow-headers", "*");
  response.writeHead(204).end();
}

function serve(request, response) {
  const exchange = {
    left: false,
    onLeft() {},
    /** HTTP/2 shows the handler a reset as the end of its requests. */
    isReset: () => Boolean(request.stream?.rstCode),
  };
  response.once("close", () => {
    exchanges.delete(request.headers[EXCHANGE]);
    if (response.writableEnded) return;
    exchange.left = true;
    exchange.onLeft();
  });
  request.headers[EXCHANGE] = String(++count);
  exchanges.set(request.headers[EXCHANGE], exchange);
  adapter(request, response);
}

async function listening(server, port) {
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return `127.0.0.1:${server.address().port}`;
}

/** A certificate for 127.0.0.1, made now: no client trusts it unless told. */
function selfSigned() {
  const folder = mkdtempSync(join(tmpdir(), "tidewire-dubbo-node-"));
  const [key, cert] = ["key.pem", "cert.pem"].map((name) => join(folder, name));
  const make =
    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 7 -subj /CN=localhost";
  const names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  execFileSync("openssl", [...make.split(" "), ...names, "-keyout", key, "-out", cert], { stdio: "pipe" });
  const pair = { key: readFileSync(key), cert: readFileSync(cert) };
  rmSync(folder, { recursive: true });
  return pair;
}
