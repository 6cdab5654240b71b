import { Scene } from "./scene.mjs";
import { openCallsFallTo, stats } from "./observed.mjs";
import { inFull, within } from "./assert.mjs";

export const allKinds = ["unary", "server_stream", "client_stream", "bidi"];
export const allTransports = ["fetch", "grpc-websockets", "tidewire.v1"];
export const webSockets = ["grpc-websockets", "tidewire.v1"];
export const allServers = ["tonic", "dubbo-go"];

const LIMIT_MS = 30_000;

/** What a runtime can carry: the truth from outside, which the package's own answers are compared with. */
export function carries(env, transport, kind) {
  if (transport !== "fetch" || kind === "unary" || kind === "server_stream") return true;
  if (hasFullDuplexFetch(env)) return true;
  // Chromium uploads streams over HTTP/2 only, which browsers speak only under TLS, and in half-duplex.
  return env.runtime === "chromium" && env.secure && kind === "client_stream";
}

export function hasFullDuplexFetch({ runtime }) {
  return runtime === "node" || runtime === "workerd";
}

/** Collects scenarios, and runs one by its name. */
export class Suite {
  #scenarios = new Map();
  #previous = "nothing";
  /** Combinations that are no scenarios here: name to reason. */
  leftOut = new Map();

  constructor(env) {
    this.env = env;
  }

  /** One scenario. `place`: what the scene is set up with, as `Scene` takes it. */
  scenario(name, body, { limitMs = LIMIT_MS, ...place } = {}) {
    if (this.#scenarios.has(name)) throw new Error(`two scenarios are called "${name}"`);
    this.#scenarios.set(name, { body, place, limitMs });
  }

  /** The same scenario for each kind, transport and server. `on`: the runtimes that it makes sense in. */
  each(axes, what, body) {
    const { kinds, transports = allTransports, servers = allServers, on, ...options } = axes;
    if (on && !on.includes(this.env.runtime)) return;
    for (const kind of kinds) {
      for (const transport of transports) {
        if (!carries(this.env, transport, kind)) {
          this.leftOut.set(
            `${kind} / ${transport}`,
            "this runtime cannot carry that kind over that transport",
          );
          continue;
        }
        for (const server of servers) {
          const name = [kind, options.label ?? transport, server, what].join(" / ");
          this.scenario(name, body, { ...options, kind, transport, server });
        }
      }
    }
  }

  list() {
    return [...this.#scenarios].map(([name, { limitMs }]) => ({ name, limitMs }));
  }

  /** Runs a scenario under all guards. Never rejects: `{ ok, ms, error }`, and `result` if its body returns one. */
  async run(name) {
    const start = performance.now();
    const { error, result } = await this.#attempt(name).then(
      (result) => ({ result }),
      (failure) => ({ error: inFull(failure) }),
    );
    this.#previous = name;
    return { name, ok: error === undefined, ms: Math.round(performance.now() - start), error, result };
  }

  async #attempt(name) {
    const { body, place, limitMs } = this.#scenarios.get(name);
    const { guards } = this.env;
    const late = guards.problems;
    if (late.length > 0) throw new Error(`left behind by "${this.#previous}": ${late.join("; ")}`);

    const before = await this.#openCalls(place.server);
    const scene = await Scene.create(this.env, place);
    const failures = [];
    const collect = (failure) => failures.push(failure);
    const result = await within(limitMs, run(body, scene), "the scenario").catch(collect);
    scene.closeClients();
    await guards.check({ closing: place.closing }).catch(collect);
    if (place.server)
      await openCallsFallTo(before + scene.kept, this.env.origin, place.server).catch(collect);
    if (failures.length > 0) throw failures.length === 1 ? failures[0] : new AggregateError(failures);
    return result;
  }

  async #openCalls(server) {
    return server ? (await stats(this.env.origin, server)).open : 0;
  }
}

/** A body that throws before its first await rejects, too. */
async function run(body, scene) {
  return body(scene);
}
