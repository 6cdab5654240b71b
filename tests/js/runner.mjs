/** Runs what the suites of a target list, one after the other, and says how it went. */

/** A scenario keeps its own limit; past this much more, its runtime itself is stuck and is started anew. */
const GRACE_MS = 20_000;

export class Runner {
  #passed = 0;
  #failed = [];
  #leftOut = new Map();

  constructor(only = "") {
    this.only = only;
  }

  wants(name) {
    return name.includes(this.only);
  }

  leaveOut(name, reason) {
    this.#leftOut.set(name, reason);
  }

  /** Gives each outcome to `seen` as well. */
  async runSuite(suite, seen = () => {}) {
    const { scenarios, leftOut } = await suite.list();
    for (const [name, reason] of leftOut) this.leaveOut(name, reason);
    for (const { name, limitMs } of scenarios.filter(({ name }) => this.wants(name))) {
      const outcome = await runLimited(suite, name, limitMs + GRACE_MS);
      this.report(outcome);
      seen(outcome);
    }
    if (suite.finish) this.report(await suite.finish());
  }

  /** Scenarios that click their way through a page, each in one of its own. */
  async runUi(target, url, scenarios) {
    for (const { name, body } of scenarios.filter(({ name }) => this.wants(name))) {
      const start = performance.now();
      const ui = await target.newUi(url);
      const error = await body(ui, new URL(url).origin).then(
        () => undefined,
        (failure) => failure.stack,
      );
      await ui.close();
      this.report({ name, ok: error === undefined, ms: Math.round(performance.now() - start), error });
    }
  }

  report({ name, ok, ms, error }) {
    console.log(`${ok ? "ok" : "not ok"} ${name} (${ms} ms)`);
    if (ok) this.#passed += 1;
    else {
      this.#failed.push(name);
      console.log(error.replace(/^/gm, "    "));
    }
  }

  summary() {
    for (const [name, reason] of this.#leftOut) console.log(`# left out: ${name}: ${reason}`);
    for (const name of this.#failed) console.log(`# failed: ${name}`);
    if (this.#passed + this.#failed.length === 0) {
      console.log(`# no scenario has "${this.only}" in its name`);
      process.exitCode = 1;
    }
    if (this.#failed.length > 0) process.exitCode = 1;
    console.log(`${this.#passed} passed, ${this.#failed.length} failed`);
  }
}

async function runLimited(suite, name, limitMs) {
  const start = performance.now();
  let timer;
  const stuck = new Promise((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${suite.label} stopped answering: nothing after ${limitMs} ms`)),
      limitMs,
    );
  });
  try {
    return await Promise.race([suite.run(name), stuck]);
  } catch (error) {
    await suite.restart();
    return { name, ok: false, ms: Math.round(performance.now() - start), error: error.message };
  } finally {
    clearTimeout(timer);
  }
}
