// Where the time of a call goes: what Chromium's profiler sees on the page's main thread, by layer and by function.

/** What is looked into: clients of a case, side by side. */
export const profiled = [
  { name: "unary", clients: ["raw fetch", "Tidewire, fetch", "Tidewire, tidewire.v1"] },
  { name: "unary-32", clients: ["raw fetch", "Tidewire, fetch", "Tidewire, tidewire.v1"] },
  { name: "pingpong", clients: ["raw WebSocket", "Tidewire, tidewire.v1"] },
  { name: "stream-64KiB", clients: ["raw fetch", "Tidewire, fetch", "Tidewire, tidewire.v1"] },
];

/** For each set of the case; so that most of what is seen is compiled as it will stay. */
const WARM = 3;
const RUNS = 3;
const INTERVAL_US = 100;

/** Microseconds of each operation of a case, `{ layers: { name: us }, functions: { name: us } }`. */
export async function profile(client, params, sets) {
  for (let n = 0; n < WARM * sets; n++) await client.run(params);
  const session = await client.session();
  await session.send("Profiler.enable");
  await session.send("Profiler.setSamplingInterval", { interval: INTERVAL_US });
  await session.send("Profiler.start");
  for (let n = 0; n < RUNS * sets; n++) await client.run(params);
  const { profile } = await session.send("Profiler.stop");
  return summed(profile, RUNS * sets * params.count);
}

function summed({ nodes, samples, timeDeltas }, count) {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const [layers, functions] = [{}, {}];
  samples.forEach((id, n) => {
    const frame = frames.get(id);
    const layer = layerOf(frame);
    if (!layer) return;
    // A sample stands for the time up to the next.
    const us = (timeDeltas[n + 1] ?? 0) / count;
    layers[layer] = (layers[layer] ?? 0) + us;
    const name = layer === "WebAssembly" ? "all functions of the module" : frame.functionName || "(unnamed)";
    if (layer !== "browser") functions[name] = (functions[name] ?? 0) + us;
  });
  return { layers, functions };
}

/** The layer of a function; none for time in which nothing ran. */
function layerOf({ functionName, url }) {
  if (functionName === "(idle)" || functionName === "(root)") return undefined;
  if (functionName === "(garbage collector)") return "garbage collector";
  if (functionName === "(program)") return "browser";
  if (url.startsWith("wasm:")) return "WebAssembly";
  return url ? "JavaScript" : "browser, called by JavaScript";
}
