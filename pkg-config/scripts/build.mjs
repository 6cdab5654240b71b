/**
 * The npm half of `cargo xtask build`: from what wasm-bindgen wrote to `pkg-config/dist`.
 *
 *   node scripts/build.mjs <folder that wasm-bindgen wrote> <the same, slim> <folder for intermediate files>
 *
 * The package is built aside and put in place by renaming, so that a server that has it open never sees half.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { namedByOrder } from "./order.mjs";

const packageDir = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = (name) => join(packageDir, "node_modules/.bin", name);

/** What rustc's wasm32-unknown-unknown has on by default; every engine we support has it too. */
const wasmFeatures = [
  "bulk-memory",
  "multivalue",
  "mutable-globals",
  "nontrapping-float-to-int",
  "reference-types",
  "sign-ext",
].map((feature) => `--enable-${feature}`);

/** Rounds found by trial: the smallest after brotli (docs/sizes.md). */
const wasmOptPasses = ["-Oz", "--flatten", "--rereloop", "-Oz", "--converge", "-ocimfs", "1"];

/** Tells linkers what the module uses; no engine reads it. */
const stripped = "--strip-target-features";

const glueTypes = `
/** Must be called with the instance's exports before anything else. */
export function __wbg_set_wasm(exports: WebAssembly.Exports): void;
`;

const importsTypes = `/** What the module imports, under the short names that it has there. */
export const imports: WebAssembly.Imports;
/** Sets the instance up, once the glue has its exports. */
export function start(exports: WebAssembly.Exports): void;
/** The bytes of the module's section without a name, joined by commas. */
export const id: string;
`;

const [fullDir, slimDir, workDir] = process.argv.slice(2);
if (!workDir || ![fullDir, slimDir].every((folder) => existsSync(join(folder, "tidewire_bg.wasm")))) {
  console.error(
    "expected two folders with wasm-bindgen's tidewire_bg.wasm and a work folder: use cargo xtask build",
  );
  process.exit(2);
}
const generated = join(packageDir, "src/generated");
rmSync(generated, { recursive: true, force: true });
generate(fullDir, generated);
generate(slimDir, join(generated, "slim"));
compile(join(workDir, "dist"));
replace(join(workDir, "dist"), join(packageDir, "dist"));

/** The files that the TypeScript sources import: the glue, the module, and the module inside JavaScript. */
function generate(bindgenDir, folder) {
  mkdirSync(folder, { recursive: true });
  const wasm = join(folder, "tidewire_bg.wasm");
  run("wasm-opt", [
    ...wasmOptPasses,
    stripped,
    ...wasmFeatures,
    join(bindgenDir, "tidewire_bg.wasm"),
    "-o",
    wasm,
  ]);
  writeFileSync(wasm, namedByOrder(readFileSync(wasm)));
  shorten(bindgenDir, wasm, folder);
  cpSync(join(bindgenDir, "snippets"), join(folder, "snippets"), { recursive: true });
  const types = readFileSync(join(bindgenDir, "tidewire.d.ts"), "utf8");
  writeFileSync(join(folder, "tidewire_bg.d.ts"), types + glueTypes);
  const base64 = readFileSync(wasm).toString("base64");
  writeFileSync(join(folder, "wasm_inline.js"), `export const base64 = "${base64}";\n`);
  writeFileSync(join(folder, "wasm_inline.d.ts"), "export const base64: string;\n");
}

/**
 * Names with hashes cost a kilobyte, in the module and in every bundle. The module gets short ones; the glue's own keep
 * theirs in the source and lose them to the bundler, since nothing refers to them by text any more.
 */
function shorten(bindgenDir, wasm, folder) {
  const mapping = execFileSync(
    bin("wasm-opt"),
    [
      "--reorder-functions-by-name",
      "--minify-imports-and-exports-and-modules",
      "--strip-debug",
      ...wasmFeatures,
      wasm,
      "-o",
      wasm,
    ],
    { cwd: packageDir, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] },
  );
  const { imports, exports } = JSON.parse(mapping);
  const short = new Map(exports);
  const glue = lighten(readFileSync(join(bindgenDir, "tidewire_bg.js"), "utf8"));
  writeFileSync(
    join(folder, "tidewire_bg.js"),
    glue.replace(/\bwasm\.([\w$]+)/g, (_, name) => {
      if (!short.has(name)) throw new Error(`the glue uses ${name}, which the module does not export`);
      return `wasm.${short.get(name)}`;
    }),
  );
  const entries = imports.map(([, name, to]) => `${JSON.stringify(to)}: glue.${name}`);
  const [{ module }] = WebAssembly.Module.imports(new WebAssembly.Module(readFileSync(wasm)));
  const id = sign(wasm);
  writeFileSync(
    join(folder, "imports.js"),
    `import * as glue from "./tidewire_bg.js";

export const imports = { ${JSON.stringify(module)}: { ${entries.join(", ")} } };
export const start = (exports) => exports[${JSON.stringify(short.get("__wbindgen_start"))}]();
export const id = "${id}";
`,
  );
  writeFileSync(join(folder, "imports.d.ts"), importsTypes);
}

/** What every bundle would carry for engines that cannot run the module anyway, and for speed that nobody needs. */
function lighten(glue) {
  const unneeded = [
    ["ways to let go of what nobody disposes of", /^if \(Symbol\.dispose\) .*\n/gm, ""],
    [
      "a stand-in for each FinalizationRegistry, which Cloudflare's workers had not before 2025",
      /\(typeof FinalizationRegistry === 'undefined'\)\s*\?[^?]*?\s: new FinalizationRegistry/g,
      "new Registry",
    ],
    [
      "(one for all)",
      /^import .*\n/,
      "$&\nconst Registry = globalThis.FinalizationRegistry ?? class { register() {} unregister() {} };\n",
    ],
    ["engines without encodeInto", /^if \(!\('encodeInto' in cachedTextEncoder\)\) \{[^]*?^\}\n/m, ""],
    [
      "a way of its own for short strings",
      /(function passStringToWasm0\(arg, malloc)[^{]*\{\s*if \(realloc === undefined\) \{([^}]*)\}[^]*?^\}\n/m,
      "$1) {$2}\n",
    ],
    ["its argument", /, wasm\.__wbindgen_realloc\)/g, ")"],
    [
      "memory that has run out",
      /\btry \{([^{}]*)\} catch \(e\) \{(?:\s*if \(\w+\) \{[^}]*\})+\s*throw e;\s*\}/g,
      "$1",
    ],
  ];
  return unneeded.reduce((text, [what, pattern, instead]) => {
    const lighter = text.replace(pattern, instead);
    if (lighter === text) throw new Error(`the glue has no longer what was left out of it: ${what}`);
    return lighter;
  }, glue);
}

/** Puts a hash of the module into a section of its own, without a name: a loader can tell one build from another. */
function sign(wasm) {
  const module = readFileSync(wasm);
  const id = createHash("sha256").update(module).digest().subarray(0, 4);
  writeFileSync(wasm, Buffer.concat([module, Buffer.of(0, 1 + id.length, 0), id]));
  return id.join();
}

function compile(folder) {
  rmSync(folder, { recursive: true, force: true });
  run("tsc", ["--project", packageDir, "--outDir", folder]);
  cpSync(join(packageDir, "src/generated"), join(folder, "generated"), { recursive: true });
}

function replace(folder, target) {
  const old = `${folder}.old`;
  rmSync(old, { recursive: true, force: true });
  if (existsSync(target)) renameSync(target, old);
  renameSync(folder, target);
  rmSync(old, { recursive: true, force: true });
}

function run(tool, args) {
  try {
    execFileSync(bin(tool), args, { cwd: packageDir, stdio: "inherit" });
  } catch (error) {
    console.error(`${tool} failed with exit code ${error.status ?? error.code}`);
    process.exit(1);
  }
}
