/**
 * The smallest that a page can load of a Rust application (docs/small-apps.md):
 *
 *   node shrink-app.mjs <folder that wasm-bindgen wrote, --target bundler> <name of the crate> <folder to write to>
 *
 * writes NAME.wasm and NAME.js, a module that exports what the application does, and `init(url)` to be called before.
 */
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { shrink } from "./shrink.mjs";

const { build } = createRequire(import.meta.url)("esbuild");

const [bindgen, name, to] = process.argv.slice(2);
if (!to) {
  console.error(
    "expected a folder of wasm-bindgen --target bundler, the crate's name, and a folder to write to",
  );
  process.exit(2);
}
const work = join(to, "parts");
rmSync(to, { recursive: true, force: true });
mkdirSync(work, { recursive: true });
const short = shrink(bindgen, name, work);
copyFileSync(join(work, `${name}_bg.wasm`), join(to, `${name}.wasm`));
const entry = join(work, "entry.js");
writeFileSync(entry, loader());
await build({
  entryPoints: [entry],
  outfile: join(to, `${name}.js`),
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
});
rmSync(work, { recursive: true });

/** Starts the module, with the glue under the short names that it asks for. */
function loader() {
  const [exported] = readFileSync(join(bindgen, `${name}.js`), "utf8").match(
    /export \{[^}]*\} from "[^"]*";/,
  ) ?? [""];
  return `import { __wbg_set_wasm, imports } from "./${name}_bg.js";
${exported}
export async function init(url = new URL("./${name}.wasm", import.meta.url)) {
  const { instance } = await WebAssembly.instantiateStreaming(fetch(url), imports);
  __wbg_set_wasm(instance.exports);
  instance.exports.${short.get("__wbindgen_start")}();
}
`;
}
