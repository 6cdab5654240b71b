// The gateway alone: its own process before the server's native gRPC, under a native load.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { memory, millisSince, threads } from "./processes.mjs";

const MESSAGES = 2_000_000;
const ECHOED = 500_000;
const ROUND_TRIPS = 5_000;
const IDLE = 4_000;

/** A round each: messages a second of the gateway's processor, what it adds to a round trip, kB of an idle stream. */
export async function measureGateway({ gateway, load, server, rounds, scale }) {
  const figures = { flood: [], echo: [], added: [], idle: [] };
  const count = (full) => Math.ceil(full / scale);
  for (let round = 0; round <= rounds; round++) {
    const relay = await start(gateway, [
      "--listen",
      "127.0.0.1:0",
      "--upstream",
      server.upstream,
      "--max-streams",
      "4000",
    ]);
    const url = `${relay.found.replace("http", "ws")}/tidewire.v1`;
    const perSecond = async (what, full) => {
      const before = await threads(relay.pid);
      const { count: came } = await ask(load, [url, what, count(full), 100]);
      return (came * 1000) / (await millisSince(relay.pid, before));
    };
    const flood = await perSecond("flood", MESSAGES);
    const echo = await perSecond("echo", ECHOED);
    const direct = await ask(load, [
      `${server.origin.replace("http", "ws")}/echo`,
      "pingpong",
      count(ROUND_TRIPS),
      100,
    ]);
    const relayed = await ask(load, [url, "pingpong", count(ROUND_TRIPS), 100]);
    const idle = await idleStream(relay, load, url, count(IDLE));
    relay.stop();
    console.log(
      `gateway ${round}/${rounds}: ${Math.round(flood)} and ${Math.round(echo)} messages a CPU second`,
    );
    if (round === 0 && rounds > 1) continue;
    figures.flood.push(flood);
    figures.echo.push(echo);
    figures.added.push({ p50: relayed.p50 - direct.p50, p99: relayed.p99 - direct.p99 });
    figures.idle.push(idle);
  }
  return figures;
}

async function idleStream(relay, load, url, count) {
  const before = await memory(relay.pid);
  const idle = await start(load, [url, "idle", count, 0]);
  const { now } = await memory(relay.pid);
  idle.stop();
  return ((now - before.now) * 1024) / count;
}

/** Runs to its end; its one line. */
async function ask(program, args) {
  const { found, ended } = await start(program, args);
  await ended;
  return found;
}

/** Until it prints an address or a line of JSON. */
async function start(program, args) {
  const child = spawn(program, args.map(String), {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, RUST_LOG: "error" },
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  for await (const line of createInterface({ input: child.stdout })) {
    const found = line.startsWith("{") ? JSON.parse(line) : /(http:\S+)/.exec(line)?.[1];
    const stop = () => {
      child.stdin.end();
      if (typeof found === "string") child.kill();
    };
    if (found) return { found, ended, pid: child.pid, stop };
  }
  throw new Error(`${program} ${args.join(" ")} ended before it said anything`);
}
