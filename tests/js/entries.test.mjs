/**
 * The package's entries, each as its users load it. The one for workerd has a whole run of scenarios (targets/workerd.mjs).
 *   DEMO=URL CHROME=PATH node --test entries.test.mjs
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { EdgeVM } from "@edge-runtime/vm";
import { build } from "esbuild";
import { start } from "./targets/chromium.mjs";

const demo = process.env.DEMO;
const packageDir = fileURLToPath(new URL("../../pkg-config", import.meta.url));
const wasmFile = join(packageDir, "dist/generated/tidewire_bg.wasm");
const { exports } = JSON.parse(await readFile(join(packageDir, "package.json"), "utf8"));

/** Where the package is installed, and nothing else. */
let folder;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "tidewire-entries-"));
  await mkdir(join(folder, "node_modules"));
  await symlink(packageDir, join(folder, "node_modules/tidewire"));
});

after(() => rm(folder, { recursive: true }));

/** A unary call to the demo's greeter: `Ada` there, `Hello, Ada` back. */
const greet = `const greet = async (createClient) => {
  const client = await createClient({ baseUrl: ${JSON.stringify(`${demo}/tonic`)}, transport: "fetch" });
  const request = Uint8Array.of(10, 3, 65, 100, 97);
  const { message } = await client.unary("/greet.GreetService/Greet", request);
  return new TextDecoder().decode(message.subarray(2));
};`;

/** What a script in that folder prints: a process for each, since a module is loaded once. */
async function printed(script) {
  const args = ["--input-type=module", "--eval", `${greet}\n${script}`];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder, timeout: 20_000 });
  return stdout.trimEnd();
}

test("what the package exports is in what npm would publish", async () => {
  const { stdout } = await promisify(execFile)("npm", ["pack", "--dry-run", "--json"], { cwd: packageDir });
  const packed = new Set(JSON.parse(stdout)[0].files.map(({ path }) => `./${path}`));
  const named = Object.values(exports).flatMap((target) =>
    typeof target === "string" ? target : Object.values(target),
  );
  assert.deepEqual(
    named.filter((path) => !packed.has(path)),
    [],
  );
});

test("the default entry carries the module inside, in Node and for bundlers", async () => {
  const script = `import { createClient } from "tidewire"; console.log(await greet(createClient));`;
  assert.equal(await printed(script), "Hello, Ada");
});

const sources = {
  "a URL": `new URL(wasm)`,
  "a URL as text": `wasm`,
  "a response": `await fetch(wasm)`,
  "a response that is not there yet": `fetch(wasm)`,
  "a response without a type": `new Response(await (await fetch(wasm)).arrayBuffer())`,
  bytes: `await readFile(file)`,
  "bytes in an ArrayBuffer": `new Uint8Array(await readFile(file)).buffer`,
  "a module": `new WebAssembly.Module(await readFile(file))`,
};

for (const [name, source] of Object.entries(sources)) {
  test(`tidewire/init makes the module of ${name}`, async () => {
    assert.equal(await printed(initialised(`init(${source});`)), "Hello, Ada");
  });
}

test("tidewire/init says what is missing, what came instead, and can be told again", async () => {
  const script = initialised(`
    const says = (promise) => promise.then(() => console.log("nothing"), (error) => console.log(error.message));
    await says(createClient({ baseUrl: "http://127.0.0.1:1" }));
    await says(init(${JSON.stringify(`${demo}/`)}));
    await says(createClient({ baseUrl: "http://127.0.0.1:1" }));
    await says(init(fetch(wasm + ".nowhere")));
    const other = new Uint8Array(await readFile(file));
    other[other.length - 1] ^= 1;
    await says(init(other));
    init(wasm);`);
  const [missing, page, again, nowhere, other, call] = (await printed(script)).split("\n");
  assert.match(missing, /FAILED_PRECONDITION: .*call init\(/);
  assert.match(page, /expected tidewire_bg\.wasm at http:.*, got content type text\/html/);
  assert.equal(again, page);
  assert.match(nowhere, /tidewire_bg\.wasm\.nowhere, got .*HTTP status 404/);
  assert.match(other, /not the tidewire_bg\.wasm of this version/);
  assert.equal(call, "Hello, Ada");
});

/** `wasm` is the module's URL, `file` its path. */
function initialised(lines) {
  return `import { createClient, init } from "tidewire/init";
    import { readFile } from "node:fs/promises";
    const wasm = ${JSON.stringify(`${demo}/tidewire/generated/tidewire_bg.wasm`)};
    const file = ${JSON.stringify(wasmFile)};
    ${lines}
    console.log(await greet(createClient));`;
}

test("tidewire/init compiles while the module arrives, in a page that loads it as it stands", async () => {
  const browser = await start();
  try {
    const page = await browser.newPage();
    const loaded = [];
    page.on("request", (request) => loaded.push(new URL(request.url()).pathname));
    // A page of the same origin with nothing of the package in it.
    await page.goto(`${demo}/tidewire/init.js`);
    const result = await page.evaluate(`(async () => {
      let streamed = 0;
      const { compileStreaming } = WebAssembly;
      WebAssembly.compileStreaming = (response) => (streamed++, compileStreaming(response));
      const { createClient, init } = await import("/tidewire/init.js");
      init("/tidewire/generated/tidewire_bg.wasm");
      ${greet}
      return [await greet(createClient), streamed];
    })()`);
    assert.deepEqual(result, ["Hello, Ada", 1]);
    assert.ok(loaded.includes("/tidewire/generated/tidewire_bg.wasm"));
    assert.ok(!loaded.some((path) => path.endsWith("wasm_inline.js")), `loaded: ${loaded}`);
  } finally {
    await browser.close();
  }
});

test("the entry for edge functions runs in Vercel's edge runtime", async () => {
  const { outputFiles } = await build({
    stdin: {
      contents: `import { createClient } from "tidewire"; ${greet} globalThis.result = greet(createClient);`,
      resolveDir: folder,
    },
    bundle: true,
    format: "iife",
    write: false,
    nodePaths: [join(folder, "node_modules")],
    conditions: ["edge-light"],
    plugins: [{ name: "modules as globals, as Next.js has them", setup: modulesAsGlobals }],
  });
  const runtime = new EdgeVM({ codeGeneration: { strings: false, wasm: false } });
  runtime.context.compiled = new WebAssembly.Module(await readFile(wasmFile));
  runtime.evaluate(outputFiles[0].text);
  assert.equal(await runtime.evaluate("result"), "Hello, Ada");
});

function modulesAsGlobals({ onResolve, onLoad }) {
  onResolve({ filter: /\.wasm\?module$/ }, ({ path }) => ({ path, namespace: "module" }));
  onLoad({ filter: /./, namespace: "module" }, () => ({ contents: "export default globalThis.compiled;" }));
}
