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
const sums = {};
const rows = [];
for (const app of apps) {
  const [name, folder] = app.split("=");
  const wasm = measure(optimised(`${folder}/rust_size_bg.wasm`));
  const js = measure(await glue(`${folder}/rust_size.js`));
  sums[name] = { raw: wasm.raw + js.raw, gzip: wasm.gzip + js.gzip, brotli: wasm.brotli + js.brotli };
  rows.push([`${name}: module`, wasm], [`${name}: JavaScript`, js], [`**${name}: both**`, sums[name]]);
}
const table = markdown(rows);
console.log(table);
if (mode === "--write") writeFileSync(here("README.md"), text());
const ours = sums.tidewire.brotli;
const verdict = `${ours} bytes of brotli for an application on tidewire::Channel, budget ${budget}`;
if (ours > budget) {
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

function markdown(rows) {
  const number = (value) => value.toLocaleString("en-US");
  const lines = rows.map(([name, { raw, gzip, brotli }]) => {
    return `| ${name} | ${number(raw)} | ${number(gzip)} | ${number(brotli)} |`;
  });
  return ["| bytes | raw | gzip | brotli |", "| --- | ---: | ---: | ---: |", ...lines].join("\n");
}

function text() {
  return `# What a Rust application takes

An application with one unary and one bidi method (\`src/lib.rs\`), with tonic and prost, on \`tidewire::Channel\` and on
tonic-web-wasm-client 0.9.2, built alike: \`opt-level = "z"\`, fat LTO, \`panic = "abort"\`, wasm-bindgen \`--target web\`,
\`wasm-opt -Oz\`, the glue minified. Written by \`cargo xtask size rust\`; \`cargo xtask test rust size\` fails above
${budget.toLocaleString("en-US")} bytes.

${table}

With ${process.env.RUSTC_VERSION}.
`;
}
