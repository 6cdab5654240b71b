/**
 * Runs a document's example as it stands and compares what it prints with its comments.
 *   node docs/run-example.mjs [BASE_URL [FILE]]     the README's, unless another file is named
 * The package must be built (`cargo xtask build`) and the demo must be up. BASE_URL stands in for the example's own.
 */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const LIMIT_MS = 20_000;
const repository = fileURLToPath(new URL("..", import.meta.url));
const [baseUrl, document = "README.md"] = process.argv.slice(2);

const example = exampleIn(await readFile(join(repository, document), "utf8"));
const expected = promisesOf(example);
const printed = await run(baseUrl ? withBase(example, baseUrl) : example);
if (printed === expected) {
  console.log(`ok the example of ${document}: it prints what it says\n${printed}`);
} else {
  console.error(`not ok the example of ${document}\nit says:\n${expected}\nit printed:\n${printed}`);
  process.exitCode = 1;
}

function exampleIn(text) {
  const [, code] = /^```js\n([^]*?)^```$/m.exec(text) ?? [];
  if (!code?.includes("createClient"))
    throw new Error(`${document} has no \`\`\`js block that makes a client`);
  return code;
}

/** What the comments behind each `console.log` say it prints. */
function promisesOf(code) {
  const lines = code.split("\n").filter((line) => line.includes("console.log"));
  const said = lines.map((line) => /\/\/ (.*)$/.exec(line)?.[1]);
  if (said.length === 0 || said.includes(undefined)) {
    throw new Error("each console.log of the example needs a comment that says what it prints");
  }
  return said.join("\n");
}

function withBase(code, url) {
  const own = /baseUrl: "[^"]+"/;
  if (!own.test(code)) throw new Error('the example has no baseUrl: "…" to put another in place of');
  return code.replace(own, `baseUrl: ${JSON.stringify(url)}`);
}

/** As a user would: from a folder of its own, in which the package is installed. */
async function run(code) {
  const folder = await mkdtemp(join(tmpdir(), "tidewire-example-"));
  try {
    await mkdir(join(folder, "node_modules"));
    await symlink(join(repository, "pkg-config"), join(folder, "node_modules/tidewire"));
    await writeFile(join(folder, "example.mjs"), code);
    const node = promisify(execFile)(process.execPath, ["example.mjs"], { cwd: folder, timeout: LIMIT_MS });
    return (await node).stdout.trimEnd();
  } catch (error) {
    throw new Error(`the example failed: ${error.stderr || error.message}`);
  } finally {
    await rm(folder, { recursive: true });
  }
}
