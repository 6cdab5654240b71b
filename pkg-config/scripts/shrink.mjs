/** From what wasm-bindgen wrote (`--target bundler`) to the smallest module and glue: for the npm package and for apps. */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { withWords } from "./comparisons.mjs";
import { withLikeLocals } from "./locals.mjs";
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
 * Writes module, glue and snippets to `folder`, the glue with an `imports` of all that the module imports, and gives back
 * the short name of each export. `isWhole`: the glue has to have all that is left out of it.
 *
 * Names with hashes cost a kilobyte, in the module and in every bundle. The module gets short ones; the glue's own keep
 * theirs in the source and lose them to the bundler, since nothing refers to them by text any more.
 */
export function shrink(bindgenDir, name, folder, isWhole = false) {
  const wasm = join(folder, `${name}_bg.wasm`);
  optimise([...wasmOptPasses, ...stripped], join(bindgenDir, `${name}_bg.wasm`), wasm);
  writeFileSync(wasm, namedByOrder(withWords(readFileSync(wasm))));
  const renaming = ["--minify-imports-and-exports-and-modules", "--strip-debug"];
  const { imports, exports } = JSON.parse(optimise(["--reorder-functions-by-name", ...renaming], wasm, wasm));
  writeFileSync(wasm, withLikeLocals(readFileSync(wasm)));
  const [{ module }] = WebAssembly.Module.imports(new WebAssembly.Module(readFileSync(wasm)));
  const short = new Map(exports);
  const glue = lighten(readFileSync(join(bindgenDir, `${name}_bg.js`), "utf8"), isWhole);
  writeFileSync(
    join(folder, `${name}_bg.js`),
    withImports(glue, `./${name}_bg.js`, module, imports).replace(/\bwasm\.([\w$]+)/g, (_, name) => {
      if (!short.has(name)) throw new Error(`the glue uses ${name}, which the module does not export`);
      return `wasm.${short.get(name)}`;
    }),
  );
  const snippets = join(bindgenDir, "snippets");
  if (existsSync(snippets)) cpSync(snippets, join(folder, "snippets"), { recursive: true });
  return short;
}

/**
 * The glue with what `imports` names of it as members of one object, under the names by which the module asks for them: a
 * function beside it would have another name, said twice.
 */
function withImports(glue, own, to, imports) {
  const others = [...new Set(imports.map(([from]) => from))].filter((from) => from !== own);
  const members = imports.map(([from, name, to]) => {
    if (from !== own) return `${to}: other${others.indexOf(from)}.${name}`;
    const [whole, rest] = glue.match(new RegExp(`^export function ${name}(\\([^]*?^\\}.*\\n)`, "m")) ?? [];
    if (!whole) return `${to}: ${name}`;
    glue = glue.replace(whole, () => "");
    return member(to, rest);
  });
  const header = others.map((module, index) => `import * as other${index} from "${module}";\n`);
  return `${header.join("")}${glue}
export const imports = { ${JSON.stringify(to)}: {
${members.join(",\n")}
} };
`;
}

/** As an arrow where it is one expression. */
function member(name, rest) {
  const [, parameters, expression] =
    rest.match(
      /^(\([^)]*\)) \{(?:\s*\/\/.*)*\s*(?:const ret = )?(?!\s|throw |const )([^;{}]*);\s*(?:return ret;\s*)?\}\n$/,
    ) ?? [];
  return expression ? `${name}: ${parameters} => ${expression}` : `${name}${rest.trimEnd()}`;
}

/** Gives back what the passes say. */
function optimise(passes, from, to) {
  const args = [...passes, ...wasmFeatures, from, "-o", to];
  return execFileSync(wasmOpt, args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
}

/** What the package's own glue can do without: a call is held by its face, and each closure by who waits for it. */
const ourOwn = [
  [
    "ways to free a client, which nobody takes",
    /(export class RawClient \{\n)    __destroy_into_raw\(\) \{[^]*?^    \}\n    free\(\) \{[^]*?^    \}\n/m,
    "$1",
  ],
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
    [
      "three ways to see that a view is of memory which has grown since",
      /\((cached\w+Memory0) === null \|\| .*\) \{$/gm,
      "(!$1?.buffer.byteLength) {",
    ],
    ["decoding what is empty", /return (decodeText\(getUint8ArrayMemory0)/, 'return len === 0 ? "" : $1'],
    ["one allocator by another name", /\bmalloc\(/g, "wasm.__wbindgen_malloc("],
    ["(its parameter, its argument)", /, (?:malloc|wasm\.__wbindgen_malloc)\)/g, ")"],
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
