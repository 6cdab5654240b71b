import { readFile } from "node:fs/promises";
import { chromium } from "playwright-core";
import { openPage } from "./browser.mjs";

const QUIET = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--no-first-run",
  "--disable-quic",
];

export function start() {
  return chromium.launch({
    executablePath: process.env.CHROME ?? "/usr/bin/chromium",
    headless: true,
    args: [...QUIET, "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
}

export async function launch({ origin, tlsOrigin, settings }) {
  const browser = await start();
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const session = await browser.newBrowserCDPSession();

  async function newPage() {
    const page = await context.newPage();
    await page.exposeFunction("residentMemory", () => renderersMemory(session));
    return page;
  }

  const suites = [];
  for (const at of [tlsOrigin, origin].filter(Boolean)) {
    suites.push(await openPage({ newPage, runtime: "chromium", origin: at, settings }));
  }
  return {
    suites,
    version: browser.version(),
    newUi: async (url) => adapt(await context.newPage(), url),
    close: () => browser.close(),
  };
}

/** Bytes that the largest page process holds: the page's heap, its buffers and its sockets' queues. */
async function renderersMemory(session) {
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  const renderers = processInfo.filter(({ type }) => type === "renderer");
  const sizes = await Promise.all(renderers.map(({ id }) => residentBytes(id)));
  return Math.max(0, ...sizes);
}

async function residentBytes(pid) {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}

async function adapt(page, url) {
  page.setDefaultTimeout(10_000);
  await page.goto(url);
  return {
    click: (selector) => page.click(selector),
    fill: (selector, text) => page.fill(selector, text),
    press: (key) => page.keyboard.press(key),
    select: (selector, value) => page.selectOption(selector, value),
    evaluate: (question, argument) => page.evaluate(question, argument),
    until: (question, argument) => page.waitForFunction(question, argument),
    go: (to) => page.goto(to),
    goBack: () => page.goBack(),
    close: () => page.close(),
  };
}
