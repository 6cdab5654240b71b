// Everything that the pages and processes load, as its users' bundlers would make it.
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
export const packageDist = join(here, "../pkg-config/dist");

/** It leads to the browser's own anyway, which the Node processes have too. */
const ws = { name: "ws", setup: (build) => build.onResolve({ filter: /^isomorphic-ws$/ }, () => socket) };

const modules = ["raw", "connect", "nice", "protobuf-ts", "grpc-web"];
export const apps = ["tidewire", "connect", "nice", "protobuf-ts", "grpc-web"];

/**
 * Writes the site into a folder. `builds`: the package's dist as `tidewire`, and as `rust` what benches/rust becomes for
 * the web, if it is there; `before` the same of another build, as far as it is to be compared.
 */
export async function writeSite(folder, builds, before) {
  await mkdir(folder, { recursive: true });
  for (const file of ["page.html", "ops.mjs"]) await cp(join(here, file), join(folder, file));
  for (const name of modules) await bundle(`clients/${name}.mjs`, join(folder, `${name}.js`));
  for (const [paths, suffix] of [
    [builds, ""],
    [before, "-before"],
  ]) {
    for (const name of Object.keys(paths)) {
      await bundle(`clients/${name}.mjs`, join(folder, `${name}${suffix}.js`), paths);
    }
  }
  for (const name of apps) {
    await bundle(`apps/${name}.mjs`, join(folder, `app-${name}.js`));
    const script = `<!doctype html><meta charset="utf-8"><script type="module" src="app-${name}.js"></script>`;
    await writeFile(join(folder, `app-${name}.html`), script);
  }
}

/** What a page of one unary call loads, and of that the codec alone. */
export async function sizes(folder) {
  const table = {};
  for (const name of apps) {
    const app = measure(await readFile(join(folder, `app-${name}.js`)));
    const codec = measure(await bundle(`apps/codec-${codecOf(name)}.mjs`));
    table[name] = { app, codec, runtime: name === "tidewire" ? await ours() : minus(app, codec) };
  }
  return table;
}

/** What SIZE.md calls both: the module as it is, and the JavaScript beside it. */
async function ours() {
  const wasm = measure(await readFile(join(packageDist, "generated/tidewire_bg.wasm")));
  const inlined = {
    name: "inlined",
    setup: (build) => build.onResolve({ filter: /wasm_inline/ }, () => nothing),
  };
  const js = measure(await bundle(join(packageDist, "index.js"), undefined, undefined, inlined));
  return Object.fromEntries(Object.keys(js).map((unit) => [unit, wasm[unit] + js[unit]]));
}

function measure(bytes) {
  return {
    raw: bytes.length,
    gzip: gzipSync(bytes, { level: 9 }).length,
    brotli: brotliCompressSync(bytes).length,
  };
}

function codecOf(name) {
  return { connect: "protobuf-es", "protobuf-ts": "protobuf-ts" }[name] ?? "ts-proto";
}

function minus(all, part) {
  return Object.fromEntries(Object.entries(all).map(([unit, bytes]) => [unit, bytes - part[unit]]));
}

async function bundle(entry, outfile, { tidewire = packageDist, rust = "bench-rust" } = {}, ...plugins) {
  const { outputFiles } = await build({
    entryPoints: [resolve(here, entry)],
    outfile: outfile ?? "out.js",
    write: !!outfile,
    bundle: true,
    minifySyntax: true,
    minifyWhitespace: true,
    // A profile is read by names.
    minifyIdentifiers: !entry.startsWith("clients/"),
    format: "esm",
    target: "es2022",
    logLevel: "error",
    alias: { tidewire: join(tidewire, "index.js"), "bench-rust": rust },
    loader: { ".wasm": "binary" },
    plugins: [ws, ...plugins],
  });
  return outputFiles?.[0].contents;
}

const socket = { path: join(here, "web-socket.mjs") };
const nothing = { path: "nothing", external: true };
