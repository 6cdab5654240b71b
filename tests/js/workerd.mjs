import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createInterface } from "node:readline";
import { build } from "esbuild";

const packageDir = fileURLToPath(new URL("../../pkg-config", import.meta.url));
const workerdBin = fileURLToPath(new URL("node_modules/.bin/workerd", import.meta.url));

/**
 * Cloudflare's runtime, by itself, with one worker in it that may reach this machine. The worker imports `tidewire` as
 * an installed package, and so gets the entry for workerd, and the wasm module beside the bundle as wrangler puts it
 * there. `data`: more modules of it, by name, as bytes. `never`: what it imports and never runs.
 */
export async function startWorkerd(entry, { data = {}, never = [] } = {}) {
  const folder = await mkdtemp(join(tmpdir(), "tidewire-workerd-"));
  await bundle(entry, folder, [...Object.keys(data), ...never]);
  for (const [name, bytes] of Object.entries(data)) await writeFile(join(folder, "out", name), bytes);
  await writeFile(join(folder, "config.capnp"), config(await readdir(join(folder, "out"))));
  const process = spawn(workerdBin, ["serve", join(folder, "config.capnp"), "--control-fd=3"], {
    stdio: ["ignore", "inherit", "inherit", "pipe"],
  });
  const port = await listening(process.stdio[3]);
  return {
    url: `http://127.0.0.1:${port}/`,
    async close() {
      process.kill();
      await rm(folder, { recursive: true });
    },
  };
}

async function bundle(entry, folder, external) {
  await mkdir(join(folder, "node_modules"));
  await symlink(packageDir, join(folder, "node_modules/tidewire"));
  await build({
    entryPoints: [entry],
    bundle: true,
    format: "esm",
    outfile: join(folder, "out/worker.js"),
    nodePaths: [join(folder, "node_modules")],
    conditions: ["workerd"],
    loader: { ".wasm": "copy" },
    external,
  });
}

/** Asks for a free port. */
function config(files) {
  const kind = (name) => (name.endsWith(".js") ? "esModule" : name.endsWith(".wasm") ? "wasm" : "data");
  // The first module is the one that is run.
  const modules = files
    .sort((a, b) => b.endsWith(".js") - a.endsWith(".js"))
    .map((name) => `(name = "${name}", ${kind(name)} = embed "out/${name}")`);
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "net", network = (allow = ["private", "local", "public"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  modules = [${modules.join(", ")}],
  compatibilityDate = "2026-11-01",
  globalOutbound = "net",
);
`;
}

async function listening(pipe) {
  for await (const line of createInterface({ input: pipe })) {
    const { event, port } = JSON.parse(line);
    if (event === "listen") return port;
  }
  throw new Error("workerd ended while it started");
}
