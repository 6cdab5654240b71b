/** From what wasm-bindgen wrote (`--target bundler`) to the smallest module and glue: for the npm package and for apps. */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { namedByOrder } from "./order.mjs";

const wasmOpt = fileURLToPath(new URL("../node_modules/.bin/wasm-opt", import.meta.url));

/** What rustc's wasm32-unknown-unknown has on by default; every engine we support has it too. */
const wasmFeatures = [
  "bulk-memory",
  "multivalue",
  "mutable-globals",
  "nontrapping-float-to-int",
  "reference-types",
  "sign-ext",
].map((feature) => `--enable-${feature}`);

/**
 * Rounds found by trial: the smallest after brotli (docs/sizes.md). `-lmu`: nothing lies in the first kilobyte, where the
 * stack of a Rust module ends.
 */
const wasmOptPasses = ["-Oz", "--flatten", "--rereloop", "-Oz", "--converge", "-ocimfs", "1", "-lmu"];

/** Tells linkers what the module uses, and who made it; no engine reads it. */
const stripped = ["--strip-target-features", "--strip-producers"];

/**
 * Writes module, glue and snippets to `folder`, and gives back which of the glue's functions each short import is, and the
 * short name of each export. `isWhole`: the glue has to have all that is left out of it.
 *
 * Names with hashes cost a kilobyte, in the module and in every bundle. The module gets short ones; the glue's own keep
 * theirs in the source and lose them to the bundler, since nothing refers to them by text any more.
 */
export function shrink(bindgenDir, name, folder, isWhole = false) {
  const wasm = join(folder, `${name}_bg.wasm`);
  optimise([...wasmOptPasses, ...stripped], join(bindgenDir, `${name}_bg.wasm`), wasm);
  writeFileSync(wasm, namedByOrder(readFileSync(wasm)));
  const renaming = ["--minify-imports-and-exports-and-modules", "--strip-debug"];
  const mapping = optimise(["--reorder-functions-by-name", ...renaming], wasm, wasm);
  const { imports, exports } = JSON.parse(mapping);
  const short = new Map(exports);
  const glue = lighten(readFileSync(join(bindgenDir, `${name}_bg.js`), "utf8"), isWhole);
  writeFileSync(
    join(folder, `${name}_bg.js`),
    glue.replace(/\bwasm\.([\w$]+)/g, (_, name) => {
      if (!short.has(name)) throw new Error(`the glue uses ${name}, which the module does not export`);
      return `wasm.${short.get(name)}`;
    }),
  );
  const snippets = join(bindgenDir, "snippets");
  if (existsSync(snippets)) cpSync(snippets, join(folder, "snippets"), { recursive: true });
  return { imports: imports.map(([module, name, to]) => ({ module, name, to })), short };
}

/** Gives back what the passes say. */
function optimise(passes, from, to) {
  const args = [...passes, ...wasmFeatures, from, "-o", to];
  return execFileSync(wasmOpt, args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
}

/** What the package's own glue can do without: a call is held by its face, and each closure by who waits for it. */
const ourOwn = [
  [
    "registries of calls and closures, which are freed at their end",
    /^const (RawCallFinalization|CLOSURE_DTORS) = [^;]*;\n|^ *(RawCallFinalization|CLOSURE_DTORS)\..*\n/gm,
    "",
  ],
];

/** What every bundle would carry for engines that cannot run the module anyway, and for speed that nobody needs. */
function lighten(glue, isWhole) {
  const unneeded = [
    ["ways to let go of what nobody disposes of", /^if \(Symbol\.dispose\) .*\n/gm, ""],
    ...(isWhole ? ourOwn : []),
    [
      "a stand-in for each FinalizationRegistry, which Cloudflare's workers had not before 2025",
      /\(typeof FinalizationRegistry === 'undefined'\)\s*\?[^?]*?\s: new FinalizationRegistry/g,
      "new Registry",
    ],
    [
      "(one for all)",
      /^/,
      "const Registry = globalThis.FinalizationRegistry ?? class { register() {} unregister() {} };\n",
    ],
    ["engines without encodeInto", /^if \(!\('encodeInto' in cachedTextEncoder\)\) \{[^]*?^\}\n/m, ""],
    [
      "a second way for strings, and `encode` for those of ASCII, which are short: to call it costs more than a loop",
      /(function passStringToWasm0\(arg, malloc)[^{]*\{\s*if \(realloc === undefined\) \{[^]*?^\}\n/m,
      `$1) {
    const isAscii = !/[^\\0-\\x7f]/.test(arg);
    const text = isAscii ? arg : cachedTextEncoder.encode(arg);
    const ptr = malloc((WASM_VECTOR_LEN = text.length), 1) >>> 0;
    const memory = getUint8ArrayMemory0();
    for (let i = 0; i < text.length; i++) memory[ptr + i] = isAscii ? text.charCodeAt(i) : text[i];
    return ptr;
}
`,
    ],
    ["its argument", /, wasm\.__wbindgen_realloc\)/g, ")"],
    ["decoding what is empty", /return (decodeText\(getUint8ArrayMemory0)/, 'return len === 0 ? "" : $1'],
    [
      "memory that has run out",
      /\btry \{([^{}]*)\} catch \(e\) \{(?:\s*if \(\w+\) \{[^}]*\})+\s*throw e;\s*\}/g,
      "$1",
    ],
  ];
  return unneeded.reduce((text, [what, pattern, instead]) => {
    const lighter = text.replace(pattern, instead);
    if (isWhole && lighter === text)
      throw new Error(`the glue has no longer what was left out of it: ${what}`);
    return lighter;
  }, glue);
}
