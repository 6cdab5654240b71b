/**
 * What a browser loads of a Rust application: raw, gzip and brotli of the module and its glue, against the budgets.
 *   node measure.mjs --write|--check NAME=FOLDER…      FOLDER: what shrink-app.mjs wrote
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
/** Bytes of brotli, by the feature of Cargo.toml. */
const budgets = JSON.parse(readFileSync(here("size.json")));

const [mode, ...apps] = process.argv.slice(2);
/** By the feature of Cargo.toml. */
const names = {
  "grpc-websockets": "`tidewire::Channel`, feature `grpc-websockets`",
  "fetch-and-grpc-websockets": "`tidewire::Channel`, features `fetch`, `grpc-websockets`",
  "fetch-and-tidewire-v1": "`tidewire::Channel`, features `fetch`, `tidewire-v1`",
  all: "`tidewire::Channel`, all features",
  predecessor: "tonic-web-wasm-client 0.9.2",
};
const rows = [];
for (const feature in budgets) {
  if (!apps.some((app) => app.startsWith(`${feature}=`))) throw new Error(`nobody has built "${feature}"`);
}
for (const app of apps) {
  const [feature, folder] = app.split("=");
  await calls(folder);
  const parts = ["wasm", "js"].map((kind) => readFileSync(`${folder}/rust_size.${kind}`));
  rows.push([names[feature], parts.map(measure).reduce(sum), budgets[feature]]);
}
const table = markdown(rows);
console.log(table);
if (mode === "--write") writeFileSync(here("README.md"), text());
for (const [name, { brotli }, budget] of rows.filter(([, , budget]) => budget)) {
  const verdict = `${brotli} bytes of brotli for ${name}, budget ${budget}`;
  if (brotli > budget) {
    console.error(`over the budget: ${verdict} (tests/rust-web/size/size.json)`);
    process.exitCode = 1;
  } else {
    console.log(`within the budget: ${verdict}`);
  }
}

/** What was made small still starts, and calls: here nobody, which it says. */
async function calls(folder) {
  const { init, greet } = await import(`${folder}/rust_size.js`);
  const module = readFileSync(`${folder}/rust_size.wasm`).toString("base64");
  await init(`data:application/wasm;base64,${module}`);
  const answer = await greet("http://127.0.0.1:1", "Ada");
  if (!/fetch|network|WebSocket/i.test(answer))
    throw new Error(`expected that nobody can be reached, got: ${answer}`);
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
  const limits = Object.entries(budgets)
    .map(([feature, budget]) => `${budget.toLocaleString("en-US")} (\`${feature}\`)`)
    .join(" and ");
  return `# What a Rust application takes

An application with one unary and one bidi method (\`src/lib.rs\`), tonic and prost included, built on each by the recipe
of [docs/small-apps.md](../../../docs/small-apps.md). Written by \`cargo xtask size rust\`;
\`cargo xtask test rust size\` fails above ${limits}
bytes of brotli. One WebSocket a call carries unary and bidi calls alike: who needs no \`fetch\` takes the first.

${table}

About 31,000 of these are tonic, prost, http and the glue of two exported functions: what the same application takes on a
transport that does nothing. tonic-web-wasm-client carries no bidi call; what it lacks besides is in
[the table](../../../docs/migrating-from-tonic-web-wasm-client.md#where-it-fails).

With ${process.env.RUSTC_VERSION}.
`;
}
