/**
 * A server of faults that no real server makes on demand. The first segment of the path says which, and a tag by
 * which `/ended/<tag>` waits for its end, `/cut/<tag>` cuts it and `/go-on/<tag>` lets out what it holds back:
 * `http://…/html~tag/greet.GreetService/Greet`.
 */
import { createServer } from "node:http";
import { once } from "node:events";
import { WebSocketServer } from "ws";
import { httpFaults } from "./fake/http.mjs";
import { grpcWebsocketsFaults, tidewireFaults, upgradeFaults } from "./fake/websocket.mjs";

const ENDED_LIMIT_MS = 10_000;

export async function startFakeServer() {
  const ends = new Ends();
  const server = createServer((request, response) => answer(request, response, ends));
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: ([first]) => first });
  server.on("upgrade", (request, socket, head) => upgrade(request, socket, head, sockets, ends));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    refusedOrigin: `http://127.0.0.1:${await portThatRefuses()}`,
    async close() {
      for (const client of sockets.clients) client.terminate();
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

/** The exchanges by tag, and their ends, whichever side made them. */
class Ends {
  #promises = new Map();
  #connections = new Map();

  watch(tag, connection) {
    this.#connections.set(tag, connection);
    this.#promises.set(tag, once(connection, "close"));
  }

  cut(tag) {
    this.#connections.get(tag)?.destroy();
    return "cut";
  }

  goOn(tag) {
    this.#connections.get(tag)?.emit("go-on");
    return "gone on";
  }

  async wait(tag) {
    const late = new Promise((resolve) => setTimeout(() => resolve("open"), ENDED_LIMIT_MS).unref());
    return Promise.race([this.#promises.get(tag)?.then(() => "closed") ?? "never seen", late]);
  }
}

function place(request) {
  const [first, ...rest] = request.url.slice(1).split("/");
  const [fault, tag = ""] = first.split("~");
  return { fault, tag, rest: rest.join("/") };
}

async function answer(request, response, ends) {
  const { fault, tag, rest } = place(request);
  allowEveryOrigin(request, response);
  if (request.method === "OPTIONS") return response.writeHead(204).end();
  if (fault === "cut") return response.end(ends.cut(rest));
  if (fault === "go-on") return response.end(ends.goOn(rest));
  if (fault === "ended") return response.end(await ends.wait(rest));

  ends.watch(tag, response);
  request.resume();
  const play = httpFaults[fault];
  if (!play) return response.writeHead(500).end(`the fake server has no fault called "${fault}"`);
  return play(response);
}

function allowEveryOrigin(request, response) {
  response.setHeader("access-control-allow-origin", "*");
  response.setHeader(
    "access-control-expose-headers",
    "*, grpc-status, grpc-message, grpc-status-details-bin",
  );
  response.setHeader(
    "access-control-allow-headers",
    request.headers["access-control-request-headers"] ?? "*",
  );
  response.setHeader("access-control-max-age", "600");
}

function upgrade(request, socket, head, sockets, ends) {
  const { fault, tag } = place(request);
  if (upgradeFaults[fault]) return upgradeFaults[fault](socket, request);
  const protocol = request.headers["sec-websocket-protocol"];
  const play = { "tidewire.v1": tidewireFaults, "grpc-websockets": grpcWebsocketsFaults }[protocol]?.[fault];
  if (!play) return socket.end(`HTTP/1.1 500 no fault "${fault}" over ${protocol}\r\n\r\n`);
  sockets.handleUpgrade(request, socket, head, (webSocket) => {
    ends.watch(tag, webSocket);
    webSocket.on("error", () => {});
    play(webSocket);
  });
}

/** A port that was free a moment ago. */
async function portThatRefuses() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}
