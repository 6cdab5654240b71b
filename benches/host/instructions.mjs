// The instructions that each case takes, as valgrind counts them, held to those of instructions.json.
//   node instructions.mjs PROGRAM                    shows them
//   node instructions.mjs PROGRAM --check            fails above them
//   node instructions.mjs PROGRAM --check-if-alike   the same, where they were taken by the same compiler and libraries
//   node instructions.mjs PROGRAM --write            writes them down
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { promisify } from "node:util";

const run = promisify(execFile);
const file = new URL("instructions.json", import.meta.url);
const rewrite =
  "`cargo xtask bench instructions --write` writes the new counts to benches/host/instructions.json";

const valgrind = process.env.VALGRIND ?? "valgrind";
// The same memcpy on any processor.
const env = {
  ...process.env,
  GLIBC_TUNABLES: "glibc.cpu.hwcaps=-AVX2,-AVX_Fast_Unaligned_Load,-ERMS,-FSRM,-SSSE3",
};

const [program, mode] = process.argv.slice(2);
const written = JSON.parse(readFileSync(file, "utf8"));
const here = await machine();
const differs = Object.keys(here)
  .filter((what) => here[what] !== written.takenWith[what])
  .map((what) => `${written.takenWith[what]} (here ${here[what]})`)
  .join(", ");

if (mode === "--check-if-alike" && differs) {
  console.log(`left out: instructions were counted with ${differs}, and here they are others`);
} else {
  const found = await countAll();
  console.log(table(found));
  if (mode === "--write") write(found);
  else if (mode) check(found);
}

/** What the counts depend on, besides the cases. */
async function machine() {
  const commands = [
    ["rustc", "--version"],
    ["getconf", "GNU_LIBC_VERSION"],
    [valgrind, "--version"],
  ];
  const [compiler, library, counter] = await Promise.all(
    commands.map(async ([command, word]) => (await run(command, [word])).stdout.trim()),
  );
  return { compiler, library, counter, processor: process.arch };
}

/** By name, in the order of the cases: each in a process of its own, so that none inherits another's heap. */
async function countAll() {
  const { stdout } = await run(program);
  const found = stdout
    .trim()
    .split("\n")
    .map((line) => line.split(" "))
    .map(([name, messages, size]) => ({ name, messages: Number(messages), size: Number(size) }));
  const waiting = [...found];
  const worker = async () => {
    for (let one; (one = waiting.shift());) one.count = await count(one.name);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  return found;
}

async function count(name) {
  const callgrind = ["--tool=callgrind", "--callgrind-out-file=/dev/null"];
  const counted = "--toggle-collect=tidewire_bench_host::counted";
  const { stderr } = await run(valgrind, [...callgrind, counted, program, name], { env });
  const count = Number(/Collected : (\d+)/.exec(stderr)?.[1]);
  if (!count) throw new Error(`valgrind has counted nothing of ${name}:\n${stderr}`);
  return count;
}

function table(found) {
  const rows = found.map(({ name, messages, size, count }) => [
    name,
    count.toLocaleString("en-US"),
    (count / messages).toFixed(1),
    size ? (count / messages / size).toFixed(2) : "",
    change(name, count),
  ]);
  const lines = [["case", "instructions", "a message", "a byte", "change"], ...rows];
  return lines
    .map(([name, ...cells]) => name.padEnd(26) + cells.map((cell) => cell.padStart(14)).join(""))
    .join("\n");
}

function change(name, count) {
  const percent = (count / written.counts[name] - 1) * 100;
  return Number.isNaN(percent) ? "new" : `${percent >= 0 ? "+" : ""}${percent.toFixed(2)} %`;
}

function write(found) {
  const counts = Object.fromEntries(found.map(({ name, count }) => [name, count]));
  writeFileSync(file, `${JSON.stringify({ ...written, takenWith: here, counts }, null, 2)}\n`);
}

/** A line for each case that is not as written down, then how many are. */
function check(found) {
  const names = new Set(found.map(({ name }) => name));
  const failures = Object.keys(written.counts)
    .filter((name) => !names.has(name))
    .map((name) => `${name} is written down, and is no case`);
  const { tolerancePercent } = written;
  for (const { name, count } of found) {
    const before = written.counts[name];
    const percent = (count / before - 1) * 100;
    const words = `${name}: ${before} instructions are written down, ${count} were counted, ${change(name, count)}`;
    if (before === undefined) failures.push(`${name} is not written down`);
    else if (percent > tolerancePercent) failures.push(words);
    else if (percent < -tolerancePercent) console.log(`fewer: ${words}; hold it to them: ${rewrite}`);
  }
  for (const failure of failures) console.log(`not ok ${failure}`);
  if (failures.length > 0) {
    console.log(`At most ${tolerancePercent} % more are taken. If it is worth it, ${rewrite}.`);
    if (differs) console.log(`They were taken with ${differs}, which may be all.`);
    process.exitCode = 1;
  }
  console.log(`${found.length - failures.length} passed, ${failures.length} failed`);
}
