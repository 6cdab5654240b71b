/**
 * Bytes that are compared one after the other, each with a constant, made words: rustc and LLVM leave a `match` on a slice in
 * bytes, and one on the names of HTTP's headers is a tenth of a small application.
 *
 * A word is read whole even where its first byte is another. Safe code has asked for the length in front of such a run, in
 * which nothing else is asked; bytes behind what was asked for would be read, not used.
 */
import { codeOf, functionsOf, lastOperand, leb, signedLeb, withBodies } from "./module.mjs";

const [GET, LOAD, CONSTANT, DIFFERS, LEAVE] = [0x20, 0x2d, 0x41, 0x47, 0x0d];

/** `br_if label (i32.ne (i32.load8_u offset (local.get local)) (i32.const byte))` */
const COMPARISON = [GET, LOAD, CONSTANT, DIFFERS, LEAVE];

/** In bytes, and how they are loaded. */
const WORDS = [
  [4, 0x28],
  [2, 0x2f],
];

/** The module with words in the places of bytes. */
export function withWords(wasm) {
  return withBodies(
    wasm,
    functionsOf(wasm).map(({ body }) => inWords(body)),
  );
}

function inWords(body) {
  const { instructions = [] } = codeOf(body);
  const parts = [];
  let copied = 0;
  for (let i = 0; i < instructions.length;) {
    const run = runAt(body, instructions, i);
    const [bytes, load] = WORDS.find(([bytes]) => run.length >= bytes) ?? [];
    if (bytes) {
      parts.push(body.subarray(copied, run[0].at), comparison(run.slice(0, bytes), load));
      copied = run[bytes - 1].end;
    }
    i += bytes ? bytes * COMPARISON.length : 1;
  }
  return Buffer.concat([...parts, body.subarray(copied)]);
}

/** Comparisons of bytes that lie one behind the other. */
function runAt(body, instructions, i) {
  const run = [];
  for (;;) {
    const next = comparisonAt(body, instructions.slice(i, i + COMPARISON.length));
    const { local, offset, label } = run[0] ?? next ?? {};
    const isNext = next?.local === local && next?.label === label && next?.offset === offset + run.length;
    if (!isNext || run.length === WORDS[0][0]) return run;
    run.push(next);
    i += COMPARISON.length;
  }
}

function comparisonAt(body, instructions) {
  if (!COMPARISON.every((operation, i) => instructions[i]?.operation === operation)) return undefined;
  const [local, offset, byte, , label] = instructions.map((instruction) => lastOperand(body, instruction));
  // What is no byte is negative, or greater than any.
  const isByte = byte < (instructions[2].end - instructions[2].at === 2 ? 0x40 : 0x100);
  return isByte
    ? { local, offset, byte, label, at: instructions[0].at, end: instructions.at(-1).end }
    : undefined;
}

function comparison(bytes, load) {
  const [{ local, offset, label }] = bytes;
  const word = bytes.reduce((word, { byte }, i) => word | (byte << (8 * i)), 0);
  const loaded = [Buffer.of(GET), leb(local), Buffer.of(load, 0), leb(offset)];
  return Buffer.concat([
    ...loaded,
    Buffer.of(CONSTANT),
    signedLeb(word),
    Buffer.of(DIFFERS, LEAVE),
    leb(label),
  ]);
}
