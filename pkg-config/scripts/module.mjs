/** Reads and writes what the last steps want to know of a module: its functions, and in them the instructions. */

const [CUSTOM, TYPES, FUNCTIONS, CODE] = [0, 1, 3, 10];

/** Of each function that the module defines: the number of its type, how many parameters it has, and its body. */
export function functionsOf(wasm) {
  let parameters = [];
  let types = [];
  let bodies = [];
  for (const { id, reader } of sections(wasm)) {
    if (id === TYPES) parameters = list(reader, parametersOf);
    if (id === FUNCTIONS) types = list(reader, number);
    if (id === CODE) bodies = list(reader, sized);
  }
  return bodies.map((body, index) => ({ type: types[index], parameters: parameters[types[index]], body }));
}

/** The module with other bodies in the places of its own. */
export function withBodies(wasm, bodies) {
  const parts = [wasm.subarray(0, 8)];
  for (const { id, reader, content } of sections(wasm)) {
    const isCode = id === CODE;
    const inner = isCode
      ? [leb(bodies.length), ...bodies.flatMap((body) => [leb(body.length), body])]
      : [content];
    parts.push(section(id, ...inner));
  }
  return Buffer.concat(parts);
}

/** The module with names for its functions. `names`: of each, its index among all and its name, by index. */
export function withNames(wasm, names) {
  const entries = names.map(({ index, name }) => Buffer.concat([leb(index), text(name)]));
  const content = Buffer.concat([leb(entries.length), ...entries]);
  return Buffer.concat([wasm, section(CUSTOM, text("name"), leb(1), leb(content.length), content)]);
}

/**
 * Where a body names one of its locals: the places of the bytes after `local.get`, `local.set` and `local.tee`, and where its
 * code begins. Nothing of one that has an instruction beyond those of wasmFeatures in shrink.mjs, or a local of two bytes.
 */
export function localsOf(body) {
  const { groups, start, instructions } = codeOf(body);
  const named = instructions?.filter(({ operation }) => operation >= LOCAL_GET && operation <= LOCAL_TEE);
  const places = named?.map(({ at }) => at + 1);
  return places?.every((place) => body[place] < 0x80) ? { groups, start, places } : undefined;
}

const [LOCAL_GET, LOCAL_TEE] = [0x20, 0x22];

/**
 * The locals of a body that are no parameters, where its code begins, and its instructions: each operation, and where it and its
 * operands stand. No instructions of one that has any beyond those of wasmFeatures in shrink.mjs.
 */
export function codeOf(body) {
  const reader = { wasm: body, at: 0 };
  const groups = list(reader, (reader) => ({ count: number(reader), type: reader.wasm[reader.at++] }));
  const start = reader.at;
  const instructions = [];
  while (reader.at < body.length) {
    const at = reader.at;
    const operation = body[reader.at++];
    if (!skipOperands(reader, operation)) return { groups, start };
    instructions.push({ operation, at, end: reader.at });
  }
  return { groups, start, instructions };
}

/** Gives back whether the operation is known. */
function skipOperands(reader, operation) {
  const numbers = operation === PREFIX ? longOperands(number(reader)) : operands(reader, operation);
  for (let i = 0; i < numbers; i++) number(reader);
  return numbers !== undefined;
}

const PREFIX = 0xfc;

/** How many numbers follow it. */
function operands(reader, operation) {
  if (operation === 0x0e) return number(reader) + 1; // br_table
  if (operation === 0x1c) return number(reader); // select with a type
  if (operation === 0x43) reader.at += 4; // f32.const
  if (operation === 0x44) reader.at += 8; // f64.const
  if (operation === 0x11 || (operation >= 0x28 && operation <= 0x3e)) return 2; // call_indirect, load, store
  if ([0x02, 0x03, 0x04, 0x0c, 0x0d, 0x10, 0x41, 0x42, 0xd0, 0xd2].includes(operation)) return 1;
  if ((operation >= 0x20 && operation <= 0x26) || operation === 0x3f || operation === 0x40) return 1;
  const bare = operation <= 0x01 || [0x05, 0x0b, 0x0f, 0x1a, 0x1b, 0x43, 0x44, 0xd1].includes(operation);
  return bare || (operation >= 0x45 && operation <= 0xc4) ? 0 : undefined;
}

/** The same for the operations of saturation, bulk memory and tables. */
function longOperands(operation) {
  if (operation <= 7) return 0;
  return [2, 1, 2, 1, 2, 1, 2, 1, 1, 1][operation - 8];
}

function* sections(wasm) {
  const reader = { wasm, at: 8 };
  while (reader.at < wasm.length) {
    const id = wasm[reader.at++];
    const content = sized(reader);
    yield { id, content, reader: { wasm: content, at: 0 } };
  }
}

function section(id, ...parts) {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(id), leb(content.length), content]);
}

/** How many parameters a type of functions has. */
function parametersOf(reader) {
  const form = reader.wasm[reader.at++];
  if (form !== 0x60) throw new Error(`expected a type of functions, 0x60, got ${form}`);
  const parameters = sized(reader).length;
  sized(reader);
  return parameters;
}

function list(reader, read) {
  return Array.from({ length: number(reader) }, () => read(reader));
}

function sized(reader) {
  const length = number(reader);
  return reader.wasm.subarray(reader.at, (reader.at += length));
}

/** The number behind an operation of one operand, or the last of its two. */
export function lastOperand(body, { at, end }) {
  let value;
  for (const reader = { wasm: body, at: at + 1 }; reader.at < end;) value = number(reader);
  return value;
}

/** LEB128; unsigned. */
function number(reader) {
  for (let value = 0, shift = 0; ; shift += 7) {
    const byte = reader.wasm[reader.at++];
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
}

export function leb(value) {
  const digits = [];
  for (; value >= 0x80; value >>>= 7) digits.push((value & 0x7f) | 0x80);
  return Buffer.of(...digits, value);
}

/** LEB128 of 32 bits; signed. */
export function signedLeb(value) {
  const digits = [];
  for (; value < -0x40 || value >= 0x40; value >>= 7) digits.push((value & 0x7f) | 0x80);
  return Buffer.of(...digits, value & 0x7f);
}

function text(value) {
  return Buffer.concat([leb(value.length), Buffer.from(value)]);
}
