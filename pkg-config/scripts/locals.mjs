/**
 * The numbers of a function's locals, which nothing hangs on, chosen so that its code repeats what the rest of the module
 * says already: a sequence that differs in one local is another sequence to a compressor. Its judgement stands in for
 * brotli's, which takes too long to be asked for each: how well the bytes before a byte foretell it.
 */
import { brotliCompressSync } from "node:zlib";
import { functionsOf, localsOf, withBodies } from "./module.mjs";

const ROUNDS = 4;

/** How many bytes before a byte foretell it; the longer where they are known. */
const CONTEXTS = [1, 2, 3, 4, 5, 6, 8];
const LONGEST = CONTEXTS.at(-1);

/** What a shorter context has to say counts as much as this many times seen in the longer. */
const WEIGHT = 1.5;

const SLOTS = 1 << 21;

/**
 * The module with other numbers for the locals of its functions: looked for from the first function to the last and from the
 * last to the first, of which now one, now the other finds the smaller.
 */
export function withLikeLocals(wasm) {
  const [forwards, backwards] = [false, true].map((isBackwards) => searched(wasm, isBackwards));
  return compressed(backwards) < compressed(forwards) ? backwards : forwards;
}

function compressed(wasm) {
  return brotliCompressSync(wasm).length;
}

function searched(wasm, isBackwards) {
  const functions = functionsOf(wasm).map(withLocals);
  const inTurn = isBackwards ? [...functions].reverse() : functions;
  const model = new Model();
  for (const { body, start } of functions) model.count(body, start, 1);
  for (let round = 0; round < ROUNDS; round++) {
    for (const each of inTurn) {
      model.count(each.body, each.start, -1);
      improve(each, model);
      model.count(each.body, each.start, 1);
    }
  }
  return withBodies(
    wasm,
    functions.map(({ body }) => body),
  );
}

/** With the places at which each local is named, in lists of what may change numbers: the locals of one type. */
function withLocals({ parameters, body }) {
  const { groups, start, places } = localsOf(body) ?? { groups: [], start: 0, places: [] };
  const byLocal = new Map();
  for (const place of places) byLocal.set(body[place], [...(byLocal.get(body[place]) ?? []), place]);
  let next = parameters;
  const alike = groups.map(({ count }) =>
    Array.from({ length: count }, () => ({ number: next, places: byLocal.get(next++) ?? [] })),
  );
  return { body: Buffer.from(body), start, alike };
}

/** Lets two locals change numbers wherever that makes the function less of a surprise. */
function improve({ body, alike }, model) {
  for (const locals of alike) {
    for (const [index, a] of locals.entries()) {
      for (const b of locals.slice(index + 1)) {
        const near = around(body, [...a.places, ...b.places]);
        const before = model.surprise(body, near);
        change(body, a, b);
        if (model.surprise(body, near) >= before) change(body, a, b);
      }
    }
  }
}

function change(body, a, b) {
  [a.number, b.number] = [b.number, a.number];
  for (const local of [a, b]) for (const place of local.places) body[place] = local.number;
}

/** What these places foretell, and they themselves. */
function around(body, places) {
  const near = new Set();
  for (const place of places) {
    for (let at = place; at <= place + LONGEST && at < body.length; at++) near.add(at);
  }
  return near;
}

/** How often each byte was seen behind each context. */
class Model {
  #contexts = CONTEXTS.map((length) => ({
    length,
    seen: new Uint16Array(SLOTS),
    followed: new Uint16Array(SLOTS),
  }));

  count(body, start, times) {
    for (let at = start; at < body.length; at++) {
      for (const { length, seen, followed } of this.#contexts) {
        const context = hash(body, at, length);
        seen[context] += times;
        followed[follower(context, body[at])] += times;
      }
    }
  }

  /** In bits. */
  surprise(body, places) {
    let bits = 0;
    for (const at of places) bits -= Math.log2(this.#likelihood(body, at));
    return bits;
  }

  #likelihood(body, at) {
    let likely = 1 / 256;
    for (const { length, seen, followed } of this.#contexts) {
      const context = hash(body, at, length);
      if (seen[context] === 0) break;
      likely = (followed[follower(context, body[at])] + WEIGHT * likely) / (seen[context] + WEIGHT);
    }
    return likely;
  }
}

function hash(body, at, length) {
  let hash = length;
  for (let i = at - length; i < at; i++) hash = mixed(hash ^ (body[i] ?? 0));
  return hash & (SLOTS - 1);
}

function follower(context, byte) {
  return mixed(context ^ ((byte + 1) << 22)) & (SLOTS - 1);
}

function mixed(hash) {
  const product = Math.imul(hash, 0x85ebca6b);
  return product ^ (product >>> 15);
}
