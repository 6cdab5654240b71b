import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const EXIT_LIMIT_MS = 5_000;
const child = fileURLToPath(new URL("./node-child.mjs", import.meta.url));

/** Node runs the scenarios in a child, so that one that blocks can be killed and the child's exit can be watched. */
export async function launch({ origin, settings }) {
  const suite = new ChildSuite({ ...settings, runtime: "node", origin, secure: false });
  return { suites: [suite], version: `Node ${process.version}`, close: () => suite.kill() };
}

class ChildSuite {
  label = "node";
  #settings;
  #process;
  #list;

  constructor(settings) {
    this.#settings = settings;
  }

  async list() {
    return (this.#list ??= await this.restart());
  }

  async run(name) {
    return this.#ask({ run: name });
  }

  async restart() {
    this.kill();
    this.#process = fork(child, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    return this.#ask({ prepare: this.#settings });
  }

  /** The last scenario: nothing that calls have left (a timer, a socket) keeps the process alive. */
  async finish() {
    const start = performance.now();
    const gone = once(this.#process, "exit");
    this.#process.send({ finish: true });
    const late = setTimeout(() => this.#process.kill("SIGKILL"), EXIT_LIMIT_MS);
    const [code, signal] = await gone;
    clearTimeout(late);
    const error = signal
      ? `still running after ${EXIT_LIMIT_MS} ms: the child printed what kept it alive`
      : code !== 0
        ? `ended with code ${code}`
        : undefined;
    const ms = Math.round(performance.now() - start);
    return { name: "node / the process ends by itself when all is done", ok: error === undefined, ms, error };
  }

  kill() {
    this.#process?.kill("SIGKILL");
  }

  async #ask(question) {
    const abandoned = new AbortController();
    const { signal } = abandoned;
    try {
      const answer = once(this.#process, "message", { signal });
      const death = once(this.#process, "exit", { signal }).then(([code, killedBy]) => {
        throw new Error(
          `the Node process ended with ${killedBy ?? code} while it was asked ${Object.keys(question)}`,
        );
      });
      this.#process.send(question);
      const [message] = await Promise.race([answer, death]);
      if (message.error) throw new Error(message.error);
      return message.result;
    } finally {
      abandoned.abort();
    }
  }
}
