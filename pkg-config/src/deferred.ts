/** A promise with its resolvers, made for who asks; a rejection that nobody looks at is no unhandled one. */
export class Deferred<T> {
  /** What it was resolved with. */
  value: T | undefined;
  #promise: Promise<T> | undefined;
  #resolve: ((value: T) => void) | undefined;
  #reject: ((reason: unknown) => void) | undefined;

  /** To be asked for before it is resolved with `undefined`. */
  get promise(): Promise<T> {
    return (this.#promise ??= new Promise((resolve, reject) => {
      if (this.value !== undefined) return resolve(this.value);
      this.#resolve = resolve;
      this.#reject = reject;
    }));
  }

  resolve(value: T): void {
    this.value = value;
    this.#resolve?.(value);
  }

  reject(reason: unknown): void {
    this.promise.catch(ignore);
    this.#reject?.(reason);
  }
}

export function ignore(): void {}

/** A rejected promise that nobody has to look at. */
export function rejected<T>(reason: unknown): Promise<T> {
  const promise = Promise.reject<T>(reason);
  promise.catch(ignore);
  return promise;
}
