/**
 * Writes the table of docs/migrating-from-tonic-web-wasm-client.md from the last run in Chromium, or says where it
 * differs.
 *   node rust/document.mjs --write|--check RESULTS
 */
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const page = fileURLToPath(new URL("../../../docs/migrating-from-tonic-web-wasm-client.md", import.meta.url));
const OF_PREDECESSOR = "predecessor / ";

const [mode, file] = process.argv.slice(2);
const results = JSON.parse(await readFile(file, "utf8"));
const written = await readFile(page, "utf8");
const text = written.replace(
  /(<!-- table -->\n)[^]*(<!-- end -->)/,
  (_, before, after) => `${before}\n${table()}\n\n${after}`,
);
if (mode === "--write") await writeFile(page, text);
else if (text !== written) {
  console.error(
    `${page} does not say what the last run found: \`cargo xtask rust\` writes it. It would be:\n${table()}`,
  );
  process.exitCode = 1;
}

function table() {
  const rows = Object.entries(results)
    .filter(([name]) => name.startsWith(OF_PREDECESSOR))
    .map(([name, { fails }]) => [name.slice(OF_PREDECESSOR.length), fails]);
  const lines = rows.map(
    ([name, fails]) => `| \`${name}\` | ${fails ? `fails: ${fails}` : "passes"} | passes |`,
  );
  return ["| case | tonic-web-wasm-client 0.9.2 | `tidewire::Channel` |", "|---|---|---|", ...lines].join(
    "\n",
  );
}
