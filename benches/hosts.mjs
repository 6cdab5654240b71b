// Where a client runs: a renderer process of its own in Chromium, or a Node process of its own.
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { millisSince } from "./processes.mjs";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-background-timer-throttling",
  "--disable-backgrounding-occluded-windows",
  "--disable-renderer-backgrounding",
];

/** Each client in a context of its own, so that none shares a process or a connection with another. */
export class Chromium {
  #browser;
  #origin;
  #session;

  /** `executablePath`: something that starts the browser. */
  static async start({ origin, executablePath = process.env.CHROME ?? "/usr/bin/chromium" }) {
    const host = new Chromium();
    host.#browser = await chromium.launch({ executablePath, headless: true, args: FLAGS });
    host.#origin = origin;
    host.#session = await host.#browser.newBrowserCDPSession();
    host.version = `Chromium ${host.#browser.version()}`;
    return host;
  }

  async client(module, name) {
    const page = await (await this.#browser.newContext()).newPage();
    page.on("pageerror", (error) => console.error(`# ${name}: ${error}`));
    await page.goto(`${this.#origin}/page.html`);
    await page.evaluate(([module, name]) => globalThis.prepare(module, name), [`./${module}.js`, name]);
    const pid = await this.#pidOf(page);
    return {
      pid,
      session: () => page.context().newCDPSession(page),
      before: (params) => page.evaluate((params) => globalThis.before(params), params),
      run: (params) => page.evaluate((params) => globalThis.run(params), params),
      close: () => page.context().close(),
    };
  }

  /** From the start of a navigation to the first reply, with nothing in any cache. */
  async cold(app) {
    const context = await this.#browser.newContext();
    const page = await context.newPage();
    await page.goto(`${this.#origin}/app-${app}.html`);
    const done = await page.waitForFunction(() => globalThis.done);
    const { ms } = await done.jsonValue();
    await context.close();
    return ms;
  }

  close() {
    return this.#browser.close();
  }

  /** The renderer that has used as much processor as the page says of its own: the protocol names no page's process. */
  async #pidOf(page) {
    const own = await page.context().newCDPSession(page);
    await own.send("Performance.enable");
    for (;;) {
      await page.evaluate(() => globalThis.spin(50));
      const { processInfo } = await this.#session.send("SystemInfo.getProcessInfo");
      const { metrics } = await own.send("Performance.getMetrics");
      const used = 1000 * metrics.find(({ name }) => name === "ProcessTime").value;
      const renderers = processInfo.filter(({ type }) => type === "renderer");
      const found = await Promise.all(
        renderers.map(async ({ id }) => ({ id, off: Math.abs((await millisSince(id, new Map())) - used) })),
      );
      const [nearest, next] = found.sort((a, b) => a.off - b.off);
      // It counts in hundredths of a second, and knows threads that have ended.
      if (nearest.off < 50 && (!next || next.off > 3 * nearest.off + 30)) return nearest.id;
    }
  }
}

export class Node {
  #folder;
  #origin;
  version = `Node ${process.version}`;

  static async start({ origin, folder }) {
    const host = new Node();
    host.#folder = folder;
    host.#origin = origin;
    return host;
  }

  async client(module, name) {
    const script = fileURLToPath(new URL("node-child.mjs", import.meta.url));
    const child = fork(script, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    const ask = async (what, params) => {
      child.send([what, params]);
      const [{ result, error }] = await once(child, "message");
      if (error) throw new Error(`${name}: ${error}`);
      return result;
    };
    await ask("prepare", { module: join(this.#folder, `${module}.js`), name, origin: this.#origin });
    return {
      pid: child.pid,
      before: (params) => ask("before", params),
      run: (params) => ask("run", params),
      close: () => child.disconnect(),
    };
  }

  async close() {}
}
