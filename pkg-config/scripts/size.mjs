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
const budgets = JSON.parse(read("size.json"));

const editions = [
  await measured("tidewire", "index.js", "generated", budgets.browserBrotliBytes),
  await measured("tidewire/slim", "slim.js", "generated/slim", budgets.slimBrotliBytes),
];
for (const { table } of editions) console.log(table);
if (process.argv.includes("--write")) writeFileSync(page, text());
for (const { entry, sum, budget } of editions) {
  const verdict = `${entry}: ${sum.brotli} bytes of brotli for wasm and JavaScript, budget ${budget}`;
  if (sum.brotli > budget) {
    console.error(`over the budget: ${verdict} (pkg-config/size.json)`);
    process.exitCode = 1;
  } else {
    console.log(`within the budget: ${verdict}`);
  }
}

/** One entry of the package, and the folder of its module. */
async function measured(entry, file, folder, budget) {
  const wasm = measure(read(`dist/${folder}/tidewire_bg.wasm`));
  const js = measure(await bundle(file, { without: "/wasm_inline.js" }));
  const sum = { raw: wasm.raw + js.raw, gzip: wasm.gzip + js.gzip, brotli: wasm.brotli + js.brotli };
  const table = markdown(entry, [
    ["`tidewire_bg.wasm`, after wasm-opt", wasm],
    ["JavaScript, bundled and minified", js],
    ["**both: held to the budget**", sum],
    ["one file, the module inlined in base64", measure(await bundle(file, {}))],
  ]);
  return { entry, sum, budget, table };
}

async function bundle(file, { without }) {
  const { outputFiles } = await build({
    entryPoints: [join(packageDir, "dist", file)],
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

function markdown(entry, rows) {
  const number = (value) => value.toLocaleString("en-US");
  const lines = rows.map(([name, { raw, gzip, brotli }]) => {
    return `| ${name} | ${number(raw)} | ${number(gzip)} | ${number(brotli)} |`;
  });
  return [`| \`${entry}\`, bytes | raw | gzip | brotli |`, "| --- | ---: | ---: | ---: |", ...lines].join(
    "\n",
  );
}

function text() {
  const versions = ["binaryen", "esbuild", "typescript"].map((name) => {
    return `${name} ${JSON.parse(read(`node_modules/${name}/package.json`)).version}`;
  });
  const [full, slim] = editions.map(({ budget }) => budget.toLocaleString("en-US"));
  return `# Size

What a browser loads, as \`cargo xtask size\` measured it. The budgets are ${full} bytes of brotli for the module and the
JavaScript together, and ${slim} for \`tidewire/slim\`, which has gRPC-Web over fetch and native gRPC over \`tidewire.v1\`
only; \`cargo xtask test\` fails above them.

${editions.map(({ table }) => table).join("\n\n")}

With ${[process.env.RUSTC_VERSION, ...versions].filter(Boolean).join(", ")}.
`;
}
