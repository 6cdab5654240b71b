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
import { shrink } from "./shrink.mjs";

const packageDir = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = (name) => join(packageDir, "node_modules/.bin", name);

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
  const short = shrink(bindgenDir, "tidewire", folder, true);
  const wasm = join(folder, "tidewire_bg.wasm");
  writeFileSync(
    join(folder, "imports.js"),
    `export { imports } from "./tidewire_bg.js";
export const start = (exports) => exports[${JSON.stringify(short.get("__wbindgen_start"))}]();
export const id = "${sign(wasm)}";
`,
  );
  writeFileSync(join(folder, "imports.d.ts"), importsTypes);
  const types = readFileSync(join(bindgenDir, "tidewire.d.ts"), "utf8");
  writeFileSync(join(folder, "tidewire_bg.d.ts"), types + glueTypes);
  const base64 = readFileSync(wasm).toString("base64");
  writeFileSync(join(folder, "wasm_inline.js"), `export const base64 = "${base64}";\n`);
  writeFileSync(join(folder, "wasm_inline.d.ts"), "export const base64: string;\n");
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
