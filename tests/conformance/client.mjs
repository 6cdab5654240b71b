/**
 * The client under test: the suite's runner starts it, and talks to it by stdin and stdout.
 *   node client.mjs --target node|chromium|firefox|workerd --messages FILE [--gateway URL] [--text] [--rust FOLDER]
 * With a gateway calls go over `tidewire.v1`, without one over fetch. Text: gRPC-Web's other form. Rust: the client is
 * that on the Rust API, in browsers only.
 */
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { Messages } from "./messages.mjs";

/** Some cases are about 200 ms: more at once would keep a small machine from being on time. */
const AT_ONCE = 4;
/** The runner gives up a client that says nothing for 20 s, and with it all cases that are left. */
const CASE_LIMIT_MS = 8_000;

const string = { type: "string" };
const { values: options } = parseArgs({
  options: { target: string, messages: string, gateway: string, rust: string, text: { type: "boolean" } },
});
const descriptors = await readFile(options.messages);
const messages = new Messages(descriptors);
const { launch } = await import(`./targets/${options.target}.mjs`);
const { gateway, text, rust } = options;
const target = await launch({ descriptors, gateway, text, rust });

const running = new Set();
for await (const request of frames(process.stdin)) {
  while (running.size >= AT_ONCE) await Promise.race(running);
  const answered = answer(request).finally(() => running.delete(answered));
  running.add(answered);
}
await Promise.all(running);
await target.close();
// Connections that servers keep open would keep this process, and the runner waits for its end.
process.exit();

async function answer(request) {
  const response = await limited(target.run(request)).catch((error) => failure(request, error));
  await write(response);
}

async function limited(promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`hung: no result after ${CASE_LIMIT_MS} ms`)), CASE_LIMIT_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function failure(request, error) {
  const { testName } = messages.decode("ClientCompatRequest", request);
  const result = { case: "error", value: { message: error.stack ?? String(error) } };
  return messages.encode("ClientCompatResponse", { testName, result });
}

/** Frames: four bytes of length, then the message. */
async function* frames(stream) {
  let rest = Buffer.alloc(0);
  for await (const chunk of stream) {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE()) {
      const end = 4 + rest.readUInt32BE();
      yield rest.subarray(4, end);
      rest = rest.subarray(end);
    }
  }
}

function write(response) {
  const frame = Buffer.alloc(4 + response.length);
  frame.writeUInt32BE(response.length);
  frame.set(response, 4);
  return new Promise((resolve) => process.stdout.write(frame, resolve));
}
