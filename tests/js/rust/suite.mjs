/** The cases of `tests/rust-web/` as scenarios: over `tidewire::Channel`, in a worker, and over its predecessor. */
import { fail, match, within } from "../assert.mjs";
import { Instance } from "./instance.mjs";
import { predecessorFails } from "./predecessor.mjs";
import { runInWorker } from "./in-worker.mjs";

const SERVERS = ["tonic", "grpc-go"];
const TRANSPORTS = ["auto", "grpc-websockets", "tidewire.v1"];

/** What the fake server answers to a case of the group `wire`. */
const FAULTS = {
  split_trailers: "split-trailers",
  repeated_trailers: "repeated-trailers",
  text_mode: "text",
  status_in_headers: "status-in-headers",
  deadline_without_the_server: "headers-alone",
  http_503: "html-503",
};

/** A call that is known to hang is given up after the first; any other has the time of a scenario. */
const HANGS_MS = 2_000;
const LIMIT_MS = 25_000;

/** Enough to see that a worker is no page. */
const IN_WORKER = ["interop/large_unary", "interop/ping_pong", "interop/cancel_after_first_response"];

/** Node's fetch over HTTP/1.1 sends the headers with the first request; before that there is nothing to cancel. */
const NOT_IN_NODE = ["interop/cancel_after_begin"];

export async function addRust(suite, env) {
  const instance = new Instance(env);
  const cases = await instance.cases();
  const real = cases.filter((name) => !name.startsWith("wire/"));
  const fake = cases.filter((name) => name.startsWith("wire/"));
  const inNode = env.runtime === "node";

  for (const server of SERVERS) {
    for (const transport of inNode ? ["fetch"] : TRANSPORTS) {
      for (const name of real) {
        if (inNode && NOT_IN_NODE.includes(name)) continue;
        const body = (t) => instance.run(name, t, { transport });
        suite.scenario(`tidewire / ${transport} / ${server} / ${name}`, body, { server });
      }
    }
  }
  for (const name of fake) {
    const [place, given] = placeOf(env, name);
    const body = (t) => instance.run(name, t, { transport: "fetch", ...given });
    suite.scenario(`tidewire / fetch / fake / ${name}`, body, place);
  }
  if (inNode) return;
  for (const server of SERVERS) {
    for (const name of IN_WORKER) {
      const body = (t) => runInWorker(name, t, { transport: "auto" });
      suite.scenario(`tidewire / worker / ${server} / ${name}`, body, { server });
    }
  }
  if (env.runtime === "chromium") addPredecessor(suite, env, real, fake);
}

/** Each answers `{ fails }`, which docs/migrating-from-tonic-web-wasm-client.md is written from. */
function addPredecessor(suite, env, real, fake) {
  for (const name of [...real, ...fake]) {
    const [place] = name.startsWith("wire/") ? placeOf(env, name) : [{ server: "tonic" }];
    suite.scenario(`predecessor / ${name}`, (t) => judge(name, t, env), place);
  }
}

async function judge(name, t, env) {
  // What a failed case leaves behind is not for the next.
  const instance = new Instance(env);
  const expected = predecessorFails[name];
  const ran = instance.run(name, t, { predecessor: true });
  const error = await within(expected?.hangs ? HANGS_MS : LIMIT_MS, ran, "it hangs").then(
    () => undefined,
    (error) => error,
  );
  instance.abandon();
  if (!error && !expected) return {};
  if (!error) fail(`the predecessor passes ${name} now: take it from predecessor.mjs`);
  if (!expected) throw error;
  match(error.message, expected.hangs ? /it hangs/ : expected.shown, `how the predecessor fails ${name}`);
  return { fails: expected.note };
}

function placeOf(env, name) {
  const tag = `rust-${Math.random().toString(36).slice(2, 10)}`;
  const fault = FAULTS[name.split("/")[1]];
  const baseUrl = `${env.fakeOrigin}/${fault}~${tag}`;
  const protocol = fault === "text" ? "grpc-web-text" : "";
  return [{ baseUrl }, { protocol, goOn: `${env.fakeOrigin}/go-on/${tag}` }];
}
