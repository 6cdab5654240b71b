import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile, copyFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createInterface } from "node:readline";
import { build } from "esbuild";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** Asks for a free port, and may reach this machine. */
const config = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "net", network = (allow = ["private", "local", "public"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  modules = [
    (name = "worker.js", esModule = embed "worker.js"),
    (name = "tidewire.wasm", wasm = embed "tidewire.wasm"),
    (name = "messages", data = embed "messages"),
  ],
  compatibilityDate = "2026-11-01",
  globalOutbound = "net",
);
`;

/** Cloudflare's runtime, by itself. One request to the worker is one case. */
export async function launch({ descriptors, gateway }) {
  if (gateway) throw new Error("in workerd a socket belongs to the request that made it: run a set of fetch");
  const folder = await mkdtemp(join(tmpdir(), "tidewire-workerd-"));
  await build({
    entryPoints: [here("../worker.mjs")],
    bundle: true,
    format: "esm",
    outfile: join(folder, "worker.js"),
    external: ["tidewire.wasm", "messages"],
    plugins: [{ name: "wasm as a module", setup: moduleInstead }],
  });
  await copyFile(here("../../../pkg-config/dist/generated/tidewire_bg.wasm"), join(folder, "tidewire.wasm"));
  await writeFile(join(folder, "messages"), descriptors);
  await writeFile(join(folder, "config.capnp"), config);
  const workerd = spawn(
    here("../node_modules/.bin/workerd"),
    ["serve", join(folder, "config.capnp"), "--control-fd=3"],
    { stdio: ["ignore", "inherit", "inherit", "pipe"] },
  );
  const port = await listening(workerd.stdio[3]);
  return {
    async run(request) {
      const response = await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body: request });
      if (!response.ok) throw new Error(`the worker answered ${response.status}: ${await response.text()}`);
      return new Uint8Array(await response.arrayBuffer());
    },
    async close() {
      workerd.kill();
      await rm(folder, { recursive: true });
    },
  };
}

/** workerd compiles no module at run time. The package has no entry for that yet: its loader is exchanged here. */
function moduleInstead(bundler) {
  const code = `import module from "tidewire.wasm";
    import { imports, start } from "./generated/imports.js";
    import { __wbg_set_wasm, RawClient } from "./generated/tidewire_bg.js";
    let ready = false;
    export function load() {
      if (ready) return RawClient;
      const { exports } = new WebAssembly.Instance(module, imports);
      __wbg_set_wasm(exports);
      start(exports);
      ready = true;
      return RawClient;
    }`;
  bundler.onLoad({ filter: /dist\/wasm\.js$/ }, ({ path }) => ({
    contents: code,
    resolveDir: join(path, ".."),
  }));
}

async function listening(pipe) {
  for await (const line of createInterface({ input: pipe })) {
    const { event, port } = JSON.parse(line);
    if (event === "listen") return port;
  }
  throw new Error("workerd ended while it started");
}
