// Far from the server: Chromium in one network namespace, gateway and service in another, and between them a network
// that takes time and loses packets (wan/).
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BEFORE, moduleOf, nameOf } from "./cases.mjs";
import { Chromium } from "./hosts.mjs";

const MBIT = 100;
const MIB = 1024 * 1024;

const fetched = "raw fetch";
const webSocket = "raw WebSocket";
export const socket = "Tidewire, tidewire.v1";

/** `bytes`: what a lossy line carries in a few seconds; TCP decides, and no window of ours. */
const networks = [
  { name: "0ms", rtt: 0, loss: 0, bytes: 16 * MIB },
  { name: "10ms", rtt: 10, loss: 0, bytes: 16 * MIB },
  { name: "50ms", rtt: 50, loss: 0, bytes: 16 * MIB },
  { name: "0ms-lossy", rtt: 0, loss: 0.01, bytes: 16 * MIB },
  { name: "10ms-lossy", rtt: 10, loss: 0.01, bytes: 4 * MIB },
  { name: "50ms-lossy", rtt: 50, loss: 0.01, bytes: 1 * MIB },
];

export const networkNames = networks.map(({ name }) => name);

export const networkCases = [
  {
    title: "Server stream, messages of 100 bytes",
    params: { op: "stream", size: 100 },
    clients: [fetched, webSocket, socket],
  },
  {
    title: "Server stream, messages of 64 KiB",
    params: { op: "stream", size: 65_536 },
    clients: [fetched, webSocket, socket],
  },
  {
    title: "Client stream, messages of 64 KiB",
    params: { op: "upload", size: 65_536 },
    clients: [fetched, webSocket, socket],
  },
  {
    title: "Bidi, messages of 64 KiB there and back, the bytes of one way",
    params: { op: "flood", size: 65_536 },
    clients: [webSocket, socket],
  },
  {
    title: "Four server streams, messages of 64 KiB, beside one that is not read",
    params: { op: "beside", size: 65_536, streams: 4 },
    clients: [fetched, socket],
  },
  {
    title: "Unary calls of 100 bytes, 32 in flight",
    params: { op: "unary", count: 320, size: 100, inFlight: 32 },
    clients: [fetched, socket],
  },
  {
    title: "Unary calls of 100 bytes, one after the other, while a client stream sends messages of 64 KiB",
    params: { op: "behind", size: 65_536, small: 100 },
    clients: [fetched, socket],
  },
];

/**
 * A row for each case and network: of each client and round the megabits a second, and what a call took. `start`: the
 * server, behind a network by those arguments of wan.
 */
export async function measureNetworks({ start, folder, before, rounds, smoke, names }) {
  const results = { mbit: MBIT, rounds, rows: [] };
  for (const network of networks.filter(({ name }) => names.length === 0 || names.includes(name))) {
    const server = await start(["-rtt", `${network.rtt}ms`, "-loss", network.loss, "-mbit", MBIT]);
    const executablePath = await starter(folder, server.network);
    const host = await Chromium.start({ origin: server.origin, executablePath });
    results.version = host.version;
    try {
      for (const { title, params, clients } of networkCases) {
        const count = 4 * Math.ceil((smoke ? MIB : network.bytes) / params.size / 4);
        const all = clients.flatMap((name) => (before && name === socket ? [name, name + BEFORE] : name));
        const label = `${network.name} ${title}`;
        const figures = await measureCase(host, label, { count, ...params }, all, smoke ? 0 : rounds);
        results.rows.push({ title, network: network.name, figures });
      }
    } finally {
      await host.close();
      server.stop();
    }
  }
  return results;
}

/** All clients once a round, in turn. The first round is not counted: it opens the connections. */
async function measureCase(host, label, params, clients, rounds) {
  const open = new Map();
  for (const name of clients) open.set(name, await host.client(moduleOf(name), nameOf(name)));
  const figures = Object.fromEntries(clients.map((name) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const [name, client] of open) {
      const { n, ms, p50, p99 } = await client.run(params);
      if (n !== params.count) throw new Error(`${label}, ${name}: ${n} of ${params.count} came`);
      const mbit = (params.count * params.size * 8) / 1000 / ms;
      if (round > 0 || rounds === 0) figures[name].push({ ms, mbit, p50, p99 });
      const call = p50 === undefined ? "" : `, a call ${p50.toFixed(1)} ms`;
      console.log(`${label} ${round}/${rounds} ${name}: ${mbit.toFixed(1)} Mbit/s${call}`);
    }
  }
  for (const client of open.values()) await client.close();
  return figures;
}

/** A program that starts Chromium in that network. */
async function starter(folder, network) {
  const file = join(folder, "chromium-far-away");
  const chromium = process.env.CHROME ?? "/usr/bin/chromium";
  await writeFile(file, `#!/bin/sh\nexec nsenter --net="${network}" -- "${chromium}" "$@"\n`);
  await chmod(file, 0o755);
  return file;
}
