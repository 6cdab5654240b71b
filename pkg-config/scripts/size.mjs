/**
 * What a browser loads: raw, gzip and brotli, of the built package, against the budget in size.json.
 *   node scripts/size.mjs --write    also writes SIZE.md
 *   node scripts/size.mjs --check
 */
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { build } from "esbuild";

const packageDir = dirname(dirname(fileURLToPath(import.meta.url)));
const page = join(dirname(packageDir), "SIZE.md");
const read = (path) => readFileSync(join(packageDir, path));
const { browserBrotliBytes: budget } = JSON.parse(read("size.json"));

const wasm = measure(read("dist/generated/tidewire_bg.wasm"));
const js = measure(await bundle({ without: "/wasm_inline.js" }));
const sum = { raw: wasm.raw + js.raw, gzip: wasm.gzip + js.gzip, brotli: wasm.brotli + js.brotli };
const single = measure(await bundle({}));

const table = markdown([
  ["`tidewire_bg.wasm`, after wasm-opt", wasm],
  ["JavaScript, bundled and minified", js],
  ["**both: held to the budget**", sum],
  ["one file, the module inlined in base64", single],
]);
console.log(table);
if (process.argv.includes("--write")) writeFileSync(page, text());
const verdict = `${sum.brotli} bytes of brotli for wasm and JavaScript, budget ${budget}`;
if (sum.brotli > budget) {
  console.error(`over the budget: ${verdict} (pkg-config/size.json)`);
  process.exitCode = 1;
} else {
  console.log(`within the budget: ${verdict}`);
}

async function bundle({ without }) {
  const { outputFiles } = await build({
    entryPoints: [join(packageDir, "dist/index.js")],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    write: false,
    logLevel: "error",
    plugins: [
      {
        name: "leave out",
        setup({ onResolve }) {
          onResolve({ filter: /./ }, ({ path }) => {
            return without && path.endsWith(without) ? { path, external: true } : undefined;
          });
        },
      },
    ],
  });
  return outputFiles[0].contents;
}

function measure(bytes) {
  return {
    raw: bytes.length,
    gzip: gzipSync(bytes, { level: 9 }).length,
    brotli: brotliCompressSync(bytes).length, // quality 11 is the default
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
  const versions = ["binaryen", "esbuild", "typescript"].map((name) => {
    return `${name} ${JSON.parse(read(`node_modules/${name}/package.json`)).version}`;
  });
  return `# Size

What a browser loads, as \`cargo xtask size\` measured it. The budget is ${budget.toLocaleString("en-US")} bytes of
brotli for the module and the JavaScript together; \`cargo xtask test\` fails above it.

${table}

With ${[process.env.RUSTC_VERSION, ...versions].filter(Boolean).join(", ")}.
`;
}
