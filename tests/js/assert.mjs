/** Assertions that run in a page as in Node. Each failure says what was expected and what came. */

const SHOWN = 400;

export class Failure extends Error {}

export function fail(message) {
  throw new Failure(message);
}

export function ok(value, what) {
  if (!value) fail(`expected ${what}`);
}

export function equal(actual, expected, what = "value") {
  if (exact(actual) !== exact(expected)) fail(`${what}: expected ${show(expected)}, got ${show(actual)}`);
}

export function match(text, pattern, what = "text") {
  if (!pattern.test(String(text))) fail(`${what}: expected something like ${pattern}, got ${show(text)}`);
}

export function between(actual, low, high, what) {
  if (!(actual >= low && actual <= high)) fail(`${what}: expected ${low} to ${high}, got ${actual}`);
}

/** The error that `promise` rejects with. */
export async function rejection(promise, what = "the promise") {
  let value;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  return fail(`expected ${what} to reject, it resolved with ${show(value)}`);
}

/** Rejects with `error` if `promise` takes longer than `ms`. Leaves no timer behind. */
export async function within(ms, promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Failure(`${what}: nothing after ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Watches a promise without awaiting it: `state` is "pending", "resolved" or "rejected". */
export function watch(promise) {
  const watched = { state: "pending", value: undefined, error: undefined, promise };
  promise.then(
    (value) => Object.assign(watched, { state: "resolved", value }),
    (error) => Object.assign(watched, { state: "rejected", error }),
  );
  return watched;
}

/** One task of the event loop, and the microtasks that belong to it. */
export function nextTask() {
  // In workerd a message comes before promises that are settled already.
  if (globalThis.navigator?.userAgent === "Cloudflare-Workers")
    return new Promise((resolve) => setTimeout(resolve));
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** Asks again, a little later each time, until `question` answers true. The limit fails; nothing is assumed. */
export async function eventually(question, what, limitMs = 5_000) {
  const end = performance.now() + limitMs;
  for (let pause = 1; ; pause = Math.min(pause * 2, 50)) {
    const answer = await question();
    if (answer === true) return;
    if (performance.now() > end) fail(`${what}: not after ${limitMs} ms; last answer: ${show(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

/** A value as a reader of a report wants it: bytes as numbers, and not all of 200 kB. */
export function show(value) {
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  const text = exact(value) ?? String(value);
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}… (${text.length} characters)` : text;
}

function exact(value) {
  return JSON.stringify(value, (_, inner) => {
    if (inner instanceof Uint8Array) return `bytes(${[...inner].join(" ")})`;
    return typeof inner === "bigint" ? `${inner}n` : inner;
  });
}

/** An error with its words, the places that matter, and its causes. Firefox has no words in the stack. */
export function inFull(error) {
  if (error instanceof AggregateError) return error.errors.map(inFull).join("\nand then ");
  if (!(error instanceof Error)) return show(error);
  const isPlace = (line) =>
    /^\s*at |@.*:\d+/.test(line) && !/\/(assert|harness|page)\.mjs|@pptr|node:internal/.test(line);
  const places = (error.stack ?? "").split("\n").filter(isPlace).slice(0, 6);
  const lines = [`${error.name}: ${error.message}`, ...places.map((place) => `    ${place.trim()}`)];
  if (error.cause instanceof Error) lines.push(`caused by ${inFull(error.cause)}`);
  return lines.join("\n");
}
