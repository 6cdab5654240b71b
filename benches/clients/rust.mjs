// The client that tonic generates, in WebAssembly, where its messages are decoded and counted.
import init, { Client } from "bench-rust/bench_rust.js";
import wasm from "bench-rust/bench_rust_bg.wasm";

export const clients = {
  "Tidewire in Rust, fetch": ({ origin }) => load(() => Client.tidewireFetch(`${origin}/direct`)),
  "Tidewire in Rust, tidewire.v1": ({ origin }) => load(() => Client.tidewireV1(`${origin}/gateway`)),
  "tonic-web-wasm-client": ({ origin }) => load(() => Client.predecessor(`${origin}/direct`)),
};

async function load(make) {
  await init({ module_or_path: wasm });
  const client = make();
  return {
    call: (size) => client.call(size),
    stream: ({ count, size }) => client.stream(count, size),
    records: ({ count }) => client.records(count),
    pingpong: ({ count, size }, times) => client.pingPong(count, size, times),
    flood: ({ count, size }) => client.flood(count, size),
  };
}
