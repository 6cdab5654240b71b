import { nextTask } from "../assert.mjs";
import { Observed } from "../observed.mjs";

let loaded = 0;

/**
 * The module with the cases. A case that fails panics, which ends the module for good: the next case gets another one.
 */
export class Instance {
  #env;
  #running;
  #abandoned = false;

  /** `env.rust`: the glue's `url`, or the `folder` with it where fetch reads no files. */
  constructor(env) {
    this.#env = env;
  }

  async cases() {
    const { glue } = await this.#start();
    return glue.cases();
  }

  async run(name, t, given) {
    const { glue, panicked } = await this.#start();
    const run = given.predecessor ? glue.runPredecessor : glue.run;
    try {
      // A panic settles no promise of the module's.
      await Promise.race([run(name, this.#scene(t, given)), panicked]);
    } catch (error) {
      this.#running = undefined;
      // The trap behind the panic comes up as an uncaught error of its own, a task later.
      for (let i = 0; i < 3; i++) await nextTask();
      const trapped = this.#env.guards?.problems ?? [];
      const others = trapped.filter((problem) => !/unreachable/.test(problem));
      throw others.length > 0
        ? new AggregateError([error, ...others.map((words) => new Error(words))])
        : error;
    }
  }

  /** Whatever a case still waits for will not come, and is nobody's failure. */
  abandon() {
    this.#abandoned = true;
  }

  #start() {
    return (this.#running ??= this.#load());
  }

  async #load() {
    const { url, wasm } = await place(this.#env.rust);
    // Another address is another module.
    const glue = await import(`${url}?${(loaded += 1)}`);
    await glue.default(wasm && { module_or_path: wasm });
    const panicked = new Promise((_, reject) => glue.onPanic((words) => reject(new Error(words))));
    panicked.catch(() => {});
    return { glue, panicked };
  }

  /** `Scene` of tests/rust-web/src/scene.rs. */
  #scene(t, { transport = "auto", protocol = "", goOn }) {
    const observed = t.observed ?? new Observed(this.#env.origin, t.server, t.id);
    const until = async (what) => JSON.stringify((await observed.until(what)).detail);
    return {
      base: t.baseUrl,
      id: t.id,
      transport,
      protocol,
      until: (what) =>
        until(what).catch((error) => (this.#abandoned ? new Promise(() => {}) : Promise.reject(error))),
      goOn: async () => void (await fetch(goOn)),
    };
  }
}

async function place({ url, folder }) {
  if (url) return { url };
  const [{ readFile }, { pathToFileURL }] = [await import("node:fs/promises"), await import("node:url")];
  return {
    url: pathToFileURL(`${folder}/rust_web.js`).href,
    wasm: await readFile(`${folder}/rust_web_bg.wasm`),
  };
}
