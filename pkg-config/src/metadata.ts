/** A metadata value: text, or bytes for names that end in `-bin`. */
export type MetadataValue = string | Uint8Array;

export type MetadataInit =
  | Metadata
  | Iterable<readonly [string, MetadataValue]>
  | Readonly<Record<string, MetadataValue | readonly MetadataValue[]>>;

/** gRPC metadata: lower-case names, repeated values in order, bytes under `-bin` names. */
export class Metadata implements Iterable<[string, MetadataValue]> {
  readonly #read: [string, MetadataValue][] = [];
  #unread: ((metadata: Metadata) => void) | undefined;

  constructor(init?: MetadataInit) {
    if (!init) return;
    if (Symbol.iterator in init) {
      for (const [name, value] of init) this.append(name, value);
    } else {
      for (const [name, value] of Object.entries(init)) {
        for (const one of Array.isArray(value) ? value : [value]) this.append(name, one as MetadataValue);
      }
    }
  }

  /** @internal `read` appends what there is, when somebody first looks: few look at all headers and trailers. */
  static later(read: (metadata: Metadata) => void): Metadata {
    const metadata = new Metadata();
    metadata.#unread = read;
    return metadata;
  }

  get #entries(): [string, MetadataValue][] {
    const read = this.#unread;
    this.#unread = undefined;
    read?.(this);
    return this.#read;
  }

  /** The first value under `name`, if any. */
  get(name: string): MetadataValue | undefined {
    return this.getAll(name)[0];
  }

  /** Every value under `name`, in order. */
  getAll(name: string): MetadataValue[] {
    const key = name.toLowerCase();
    return this.#entries.filter(([k]) => k === key).map(([, value]) => value);
  }

  has(name: string): boolean {
    return this.getAll(name).length > 0;
  }

  /** Adds a value, keeping those already there. Throws a TypeError if text and bytes are mixed up. */
  append(name: string, value: MetadataValue): this {
    const key = name.toLowerCase();
    const binary = key.endsWith("-bin");
    if (binary !== value instanceof Uint8Array) {
      throw new TypeError(
        binary
          ? `metadata "${key}": names that end in -bin take a Uint8Array`
          : `metadata "${key}": takes a string; for bytes, end the name in -bin`,
      );
    }
    this.#entries.push([key, value]);
    return this;
  }

  /** Puts one value in place of all under `name`. */
  set(name: string, value: MetadataValue): this {
    return this.delete(name).append(name, value);
  }

  delete(name: string): this {
    const key = name.toLowerCase();
    for (let i = this.#entries.length - 1; i >= 0; i--) {
      if (this.#entries[i]![0] === key) this.#entries.splice(i, 1);
    }
    return this;
  }

  [Symbol.iterator](): IterableIterator<[string, MetadataValue]> {
    return this.#entries[Symbol.iterator]();
  }
}
