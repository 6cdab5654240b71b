/**
 * Measures: `node run.mjs --server PATH --out FOLDER [--rust FOLDER] [--rounds N] [--smoke] [--write]
 * [--before DIST] [--rust-before FOLDER] [--only TEXT]… [--wan PATH] [case or runtime or network…]`.
 * What `cargo xtask bench` calls; the figures go to FOLDER/results.json, and with --write into docs/. The clients in Rust
 * run where the folder of their module is given; another build is another client in the same rounds. With --only, which
 * names clients by a part of their names, nothing is kept. With --wan only the networks of network.mjs are taken.
 */
import { spawn } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { apps, packageDist, sizes, writeSite } from "./bundle.mjs";
import { measureGateway } from "./gateway.mjs";
import { cases, clientsOf, moduleOf, nameOf, smoke } from "./cases.mjs";
import { Chromium, Node } from "./hosts.mjs";
import { machine } from "./machine.mjs";
import { measureNetworks, networkNames } from "./network.mjs";
import { profile, profiled } from "./profile.mjs";
import { memory, millisSince, resetPeak, threads } from "./processes.mjs";
import { networkSummary, summary, writeDocs, writeNetworks } from "./report.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    server: { type: "string" },
    out: { type: "string" },
    rounds: { type: "string", default: "7" },
    smoke: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
    rust: { type: "string" },
    before: { type: "string" },
    "rust-before": { type: "string" },
    only: { type: "string", multiple: true },
    wan: { type: "string" },
  },
});
const rounds = values.smoke ? 1 : Number(values.rounds);
/** Cold starts of each page in a round: each is short, and most of it is the browser's own time, which varies. */
const COLD_STARTS = values.smoke ? 1 : 5;
const site = join(values.out, "site");
const given = (builds) => Object.fromEntries(Object.entries(builds).filter(([, folder]) => folder));
const builds = given({ tidewire: packageDist, rust: values.rust });
const before = given({ tidewire: values.before, rust: values["rust-before"] });
await writeSite(site, builds, before);
if (values.wan) {
  await networks();
  process.exit();
}
const hosts = { chromium: Chromium, node: Node };
const wanted = (name) => positionals.length === 0 || positionals.includes(name);
const runtimes = Object.keys(hosts).filter((name) => wanted(name) || !positionals.some((p) => hosts[p]));
const named = positionals.filter((name) => !hosts[name]);
const all = [...cases, { name: "cold" }, { name: "profile" }, { name: "gateway" }];
const chosen = all.filter(({ name }) => named.length === 0 || named.includes(name));
if (chosen.length === 0) throw new Error(`no case ${named}; there are ${all.map(({ name }) => name)}`);
const runs = (client) => values.only?.some((part) => client.includes(part)) ?? true;
const isChosen = (wanted) => chosen.some(({ name }) => name === wanted);

const server = await startServer(values.server, [site]);
const results = {
  machine: await machine(),
  rounds,
  versions: {},
  cases: [],
  cold: {},
  profiles: [],
  sizes: await sizes(site),
};
try {
  for (const runtime of runtimes) await measureIn(runtime);
  if (isChosen("gateway")) {
    const [gateway, load] = ["tidewire-gateway", "gateway-load"].map((name) =>
      join(dirname(values.server), name),
    );
    results.gateway = await measureGateway({ gateway, load, server, rounds, scale: values.smoke ? 100 : 1 });
  }
} finally {
  server.stop();
}
const file = join(values.out, "results.json");
if (!values.smoke && !values.only) {
  merge(results, JSON.parse(await readFile(file, "utf8").catch(() => "{}")));
  await writeFile(file, JSON.stringify(results, undefined, 1));
}
console.log(summary(results));
if (values.write) await writeDocs(results);
const done =
  results.cases.length +
  Object.keys(results.cold).length +
  results.profiles.length +
  (results.gateway ? 1 : 0);
console.log(`${done} passed, 0 failed`);

/** Far from the server; see network.mjs. */
async function networks() {
  const unknown = positionals.filter((name) => !networkNames.includes(name));
  if (unknown.length > 0) throw new Error(`no network ${unknown}; there are ${networkNames}`);
  const results = await measureNetworks({
    start: (args) => startServer(values.wan, [...args, "--", values.server, site, "198.18.0.2:0"]),
    folder: values.out,
    before: values.before,
    rounds,
    smoke: values.smoke,
    names: positionals,
  });
  results.machine = await machine();
  console.log(networkSummary(results));
  if (values.write) await writeNetworks(results);
  console.log(`${results.rows.length} passed, 0 failed`);
}

/** What did not run now is taken from the last time that it did. */
function merge(now, { cases = [], cold = {}, profiles = [], gateway, versions = {} }) {
  const isNew = (old) => !now.cases.some(({ name, runtime }) => name === old.name && runtime === old.runtime);
  now.cases.push(...cases.filter(isNew));
  now.versions = { ...versions, ...now.versions };
  now.gateway ??= gateway;
  if (Object.keys(now.cold).length === 0) now.cold = cold;
  if (now.profiles.length === 0) now.profiles = profiles;
}

async function measureIn(runtime) {
  const host = await hosts[runtime].start({ origin: server.origin, folder: site });
  results.versions[runtime] = host.version;
  try {
    for (const theCase of chosen.filter(({ params }) => params)) {
      const scaled = values.smoke ? smoke(theCase) : theCase;
      const clients = clientsOf(theCase, runtime, builds, before).filter(runs);
      if (clients.length > 0) results.cases.push({ runtime, ...(await measureCase(host, scaled, clients)) });
    }
    if (runtime === "chromium" && isChosen("cold")) await measureCold(host);
    if (runtime === "chromium" && isChosen("profile")) await profileAll(host);
  } finally {
    await host.close();
  }
}

/** Its rounds in so many sets, each with processes of its own. */
async function measureCase(host, theCase, clients) {
  const { name, sets = 1, params } = theCase;
  const rows = Object.fromEntries(clients.map((client) => [client, []]));
  for (let set = 1; set <= sets; set++) {
    await measureSet(host, theCase, set % 2 ? clients : clients.toReversed(), rows);
  }
  return { name, sets, count: params.count, rows };
}

/** All clients once a round, in turn: what drifts, drifts for all. The first rounds are not counted. */
async function measureSet(host, { name, warm = 1, params }, clients, rows) {
  const open = new Map();
  for (const client of clients) open.set(client, await host.client(moduleOf(client), nameOf(client)));
  for (let round = values.smoke ? 1 : 1 - warm; round <= rounds; round++) {
    for (const client of turned(clients, round + warm)) {
      const figures = await measure(open.get(client), params);
      if (round > 0) rows[client].push(figures);
      const { ms, cpu } = figures;
      console.log(
        `${host.version} ${name} ${round}/${rounds} ${client}: ${ms.toFixed(1)} ms, cpu ${cpu.toFixed(1)} ms`,
      );
    }
  }
  for (const client of open.values()) await client.close();
}

/** No client always runs behind the same other. */
function turned(clients, round) {
  const at = round % clients.length;
  return [...clients.slice(at), ...clients.slice(0, at)];
}

/** Nothing is collected by force before: it would throw away compiled code, too, and most of those with most code. */
async function measure(client, params) {
  await client.before(params);
  const held = await resetPeak(client.pid);
  const [before, served] = [await threads(client.pid), await threads(server.pid)];
  const { n, ms, p50, p99 } = await client.run(params);
  const [cpu, serverCpu] = [await millisSince(client.pid, before), await millisSince(server.pid, served)];
  if (n !== params.count) throw new Error(`${n} of ${params.count} came`);
  const { peak } = await memory(client.pid);
  return { ms, cpu, serverCpu, growth: Math.max(0, peak - held), p50, p99 };
}

async function measureCold(host) {
  for (const app of apps) results.cold[app] = [];
  for (let start = 0; start <= rounds * COLD_STARTS; start++) {
    for (const app of turned(apps, start)) {
      const ms = await host.cold(app);
      if (start > 0) results.cold[app].push(ms);
    }
  }
}

async function profileAll(host) {
  for (const { name, clients } of profiled) {
    const { sets = 1, params } = cases.find((one) => one.name === name);
    const of = {};
    for (const client of clients) {
      const page = await host.client(moduleOf(client), client);
      of[client] = await profile(page, params, sets);
      await page.close();
    }
    results.profiles.push({ name, of });
  }
}

async function startServer(program, args) {
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  let text = "";
  for await (const line of createInterface({ input: child.stdout })) {
    text += `${line}\n`;
    const [, origin, upstream] = /listening on (\S+)\nupstream on (\S+)/.exec(text) ?? [];
    const [, network] = /page network (\S+)/.exec(text) ?? [];
    if (upstream) return { origin, upstream, network, pid: child.pid, stop: () => child.stdin.end() };
  }
  throw new Error(`${program} ended while it started`);
}
