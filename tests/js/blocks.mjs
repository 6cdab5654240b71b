/**
 * `await using` by its syntax. A module of its own, without imports: a browser loads it as it stands, and for Node 20,
 * which cannot read it, it is lowered first (targets/node-child.mjs).
 */

/** Holds `resource` in a block that ends with its last line. */
export async function toItsEnd(resource, body) {
  await using held = resource;
  await body(held);
}

/** Leaves the block from its middle, with a value. */
export async function byReturn(resource, value) {
  await using held = resource;
  if (held) return value;
  throw new Error("nothing was held");
}

/** Leaves the block by an error. */
export async function byThrow(resource, error) {
  await using _ = resource;
  throw error;
}
