/**
 * Writes docs/interop.md from the results of the last runs, or says where it differs from them.
 *   node interop/document.mjs --write|--check FOLDER
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { columns } from "./columns.mjs";
import { rows } from "./rows.mjs";

const RUNTIMES = { node: "Node", chromium: "Chromium" };
const KINDS = { unary: "U", server_stream: "S", client_stream: "C", bidi: "B" };
const page = fileURLToPath(new URL("../../../docs/interop.md", import.meta.url));

const [mode, folder] = process.argv.slice(2);
const results = {};
for (const runtime of Object.keys(RUNTIMES)) {
  results[runtime] = await readJson(runtime, `the table has not run in ${runtime} yet`);
}
/** What dubbo-go's own client says of each row: `[version, { row: says }]`. */
const native = [];
for (const version of ["v3.2.0-rc2", "v3.3.0", "v3.3.2"]) {
  const lines = await readJson(`client-of-dubbo-go-${version}`, "dubbo-go's own client has not run yet");
  native.push([version, Object.fromEntries(lines.map(({ row, says }) => [row, says]))]);
}
const failed = Object.entries(results).flatMap(([runtime, cells]) =>
  cells.filter(({ ok }) => !ok).map(({ column, row }) => `${column} / ${row} in ${runtime}`),
);
if (failed.length > 0) throw new Error(`nothing is written from runs that failed: ${failed.join("; ")}`);

/** The rows of the table itself. */
const promises = rows.filter(({ asks }) => !asks);
const notes = [];
const text = document();
if (mode === "--write") await writeFile(page, text);
else if (text !== (await readFile(page, "utf8").catch(() => ""))) {
  console.error(
    "docs/interop.md does not say what the table found: `cargo xtask interop` writes it. It would be:",
  );
  console.error(text);
  process.exitCode = 1;
}

async function readJson(name, otherwise) {
  const text = await readFile(join(folder, `${name}.json`), "utf8").catch(() => {
    throw new Error(`${otherwise}: cargo xtask interop`);
  });
  return JSON.parse(text);
}

function document() {
  return `# Calls against other servers

Written by \`cargo xtask interop\` from what its tests found, not by hand. Each cell is a test against the real server: it
asserts what the client got and what the server saw (\`tests/js/interop/\`).

## What is asked

${promises.map(({ title }, i) => `${i + 1}. ${title}`).join("\n")}

## What came of it

The letter is the kind of call that the cell ran with, the first that goes this way: **B**idi, **C**lient stream,
**S**erver stream, **U**nary; row ${1 + promises.findIndex(({ each }) => each)} ran with each that does. A number in brackets: otherwise, or not at all, as the note
says; that is tested as well.

${table()}

${notes.map((note, i) => `- [${i + 1}] ${note}`).join("\n")}

## An unknown group or version

What comes of a call with a \`tri-service-group\` or a \`tri-service-version\` that the server has not, of each kind that
goes this way.

${answers("route")}

## A field of two words in JSON

In requests of Triple's bare form in JSON these servers take \`fileName\` and \`file_name\`. A codec is to read both, as
protobuf's own libraries do: what they write is

${answers("names")}

## After the end

What each method of a bidi call gives once the call has ended, in every column.

${after()}

## Beside dubbo-go's own client

The same calls by dubbo-go's own client to the same server, of each version, and by Tidewire in all columns of that
version. "Still blocked" was watched for as long as it says.

${besideNative()}
`;
}

function table() {
  const head = ["server", "way", "in", ...promises.map((_, i) => i + 1)];
  return [line(head), line(head.map(() => "---")), ...lines()].join("\n");
}

/** One line a column, or one a runtime where they differ. */
function lines() {
  const ran = new Set(Object.values(results).flatMap((cells) => cells.map(({ column }) => column)));
  // A way that each runtime takes with options of its own is two columns of one name.
  const names = new Set(columns.map(({ id }) => id));
  return [...names].flatMap((column) => {
    if (!ran.has(column)) throw new Error(`${column} has run nowhere`);
    const here = Object.keys(RUNTIMES).filter((name) => results[name].some((cell) => cell.column === column));
    const each = here.map((name) => cellsOf(name, column).map(show));
    const same = each.every((cells) => cells.join() === each[0].join());
    const where = same ? [here.map((name) => RUNTIMES[name]).join(", ")] : here.map((name) => RUNTIMES[name]);
    return where.map((runtimes, i) => line([...column.split(" / "), runtimes, ...each[i]]));
  });
}

function cellsOf(runtime, column) {
  return promises.map(({ id }) => results[runtime].find((cell) => cell.column === column && cell.row === id));
}

function show({ how, kind, kinds, note, row }) {
  const { each } = rows.find(({ id }) => id === row);
  const letters = each && kinds?.length ? kinds.map((kind) => KINDS[kind]).join("") : KINDS[kind];
  if (how === "yes") return letters;
  if (!notes.includes(note)) notes.push(note);
  const number = `[${notes.indexOf(note) + 1}]`;
  return how === "differs" ? `${letters} ${number}` : number;
}

/** One line for each answer that a server gives. */
function answers(asked) {
  const found = new Map();
  for (const { column, row, how, result } of Object.values(results).flat()) {
    if (row !== asked || how === "cannot") continue;
    const [server, way] = column.split(" / ");
    const key = JSON.stringify([server, result]);
    found.set(key, (found.get(key) ?? new Set()).add(way));
  }
  const lines = [...found].map(([key, ways]) => {
    const [server, result] = JSON.parse(key);
    return line([server, [...ways].join("; "), result]);
  });
  return [line(["server", "ways", "what comes"]), line(["---", "---", "---"]), ...lines].join("\n");
}

function after() {
  const said = Object.values(results)
    .flat()
    .filter(({ row, result }) => row === "afterwards" && result);
  const [first] = said;
  for (const { column, result } of said) {
    if (JSON.stringify(result) !== JSON.stringify(first.result))
      throw new Error(
        `after the end ${column} says ${JSON.stringify(result)}, others ${JSON.stringify(first.result)}`,
      );
  }
  const ends = Object.keys(first.result);
  const methods = Object.keys(first.result[ends[0]]);
  const code = (word) => `\`${word}\``;
  const lines = methods.map((method) =>
    line([code(method), ...ends.map((end) => code(first.result[end][method]))]),
  );
  return [
    line(["", ...ends.map((end) => `after ${end}`)]),
    line(["---", ...ends.map(() => "---")]),
    ...lines,
  ].join("\n");
}

function besideNative() {
  const says = ({ id }) => {
    const all = native.map(([version, said]) => [version, said[id]]);
    const texts = [...new Set(all.map(([, text]) => text))];
    if (texts.length === 1) return texts[0];
    const versions = (text) => all.filter(([, other]) => other === text).map(([version]) => version);
    return texts.map((text) => `${versions(text).join(", ")}: ${text}`).join("<br>");
  };
  const compared = rows.filter(({ id }) => native[0][1][id]);
  const ours = ({ says }) => says ?? "as in the table above";
  const head = ["", "dubbo-go's client", "Tidewire"];
  return [head, head.map(() => "---"), ...compared.map((row) => [row.title, says(row), ours(row)])]
    .map(line)
    .join("\n");
}

function line(cells) {
  return `| ${cells.join(" | ")} |`;
}
