/**
 * What a browser loads of a Rust application: raw, gzip and brotli of the module and its glue, against the budget.
 *   node measure.mjs --write|--check NAME=FOLDER…      FOLDER: what wasm-bindgen wrote (`--target web`)
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const tools = here("../../../pkg-config/");
const { build } = createRequire(`${tools}package.json`)("esbuild");
const { brotliBytes: budget } = JSON.parse(readFileSync(here("size.json")));

const [mode, ...apps] = process.argv.slice(2);
/** By the feature of Cargo.toml. */
const names = {
  "fetch-and-grpc-websockets": "`tidewire::Channel`, features `fetch`, `grpc-websockets`",
  "fetch-and-tidewire-v1": "`tidewire::Channel`, features `fetch`, `tidewire-v1`",
  all: "`tidewire::Channel`, all features",
  predecessor: "tonic-web-wasm-client 0.9.2",
};
const rows = [];
for (const app of apps) {
  const [feature, folder] = app.split("=");
  const parts = [optimised(`${folder}/rust_size_bg.wasm`), await glue(`${folder}/rust_size.js`)];
  rows.push([names[feature], parts.map(measure).reduce(sum)]);
}
const table = markdown(rows);
console.log(table);
if (mode === "--write") writeFileSync(here("README.md"), text());
const [[name, { brotli }]] = rows;
const verdict = `${brotli} bytes of brotli for ${name}, budget ${budget}`;
if (brotli > budget) {
  console.error(`over the budget: ${verdict} (tests/rust-web/size/size.json)`);
  process.exitCode = 1;
} else {
  console.log(`within the budget: ${verdict}`);
}

/** By the one option that any application would give. */
function optimised(wasm) {
  const out = wasm.replace(/_bg\.wasm$/, "_opt.wasm");
  const features = [
    "bulk-memory",
    "multivalue",
    "mutable-globals",
    "nontrapping-float-to-int",
    "reference-types",
    "sign-ext",
  ];
  const flags = features.map((feature) => `--enable-${feature}`);
  execFileSync(`${tools}node_modules/.bin/wasm-opt`, ["-Oz", ...flags, wasm, "-o", out]);
  return readFileSync(out);
}

async function glue(entry) {
  const options = { bundle: true, minify: true, format: "esm", target: "es2022", write: false };
  const { outputFiles } = await build({ entryPoints: [entry], ...options });
  return outputFiles[0].contents;
}

function measure(bytes) {
  return {
    raw: bytes.length,
    gzip: gzipSync(bytes, { level: 9 }).length,
    brotli: brotliCompressSync(bytes).length,
  };
}

function sum(a, b) {
  return Object.fromEntries(Object.keys(a).map((key) => [key, a[key] + b[key]]));
}

function markdown(rows) {
  const number = (value) => value.toLocaleString("en-US");
  const lines = rows.map(([name, { raw, gzip, brotli }]) => {
    return `| ${name} | ${number(raw)} | ${number(gzip)} | ${number(brotli)} |`;
  });
  return ["| module and glue, bytes | raw | gzip | brotli |", "| --- | ---: | ---: | ---: |", ...lines].join(
    "\n",
  );
}

function text() {
  return `# What a Rust application takes

An application with one unary and one bidi method (\`src/lib.rs\`), tonic and prost included, built alike on each:
\`opt-level = "z"\`, fat LTO, the standard library from source for size, panics that abort at once, \`wasm-opt -Oz\`, the
glue minified. Written by \`cargo xtask size rust\`; \`cargo xtask test rust size\` fails above
${budget.toLocaleString("en-US")} bytes of brotli for the first. It is to come down to 50,000.

${table}

About 35,000 of these are tonic, prost, http and the glue of two exported functions: what the same application takes on a
transport that does nothing. tonic-web-wasm-client carries no bidi call; what it lacks besides is in
[the table](../../../docs/migrating-from-tonic-web-wasm-client.md#where-it-fails).

With ${process.env.RUSTC_VERSION}.
`;
}
