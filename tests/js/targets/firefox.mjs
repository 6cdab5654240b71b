import puppeteer from "puppeteer-core";
import { openPage } from "./browser.mjs";

/**
 * A start takes two to four seconds; one in some hundreds hangs, and a second one does not. The runner of the conformance
 * suite gives up a client that says nothing for 20 s: there has to be time for both.
 */
const START_LIMIT_MS = 8_000;

export function start() {
  return launchFirefox({ timeout: START_LIMIT_MS }).catch((error) => {
    console.error(`Firefox did not start, trying once more: ${error.message}`);
    return launchFirefox();
  });
}

function launchFirefox(options) {
  return puppeteer.launch({
    ...options,
    browser: "firefox",
    executablePath: process.env.FIREFOX ?? "/usr/bin/firefox-esr",
    headless: true,
    acceptInsecureCerts: true,
    protocol: "webDriverBiDi",
    // Scenarios have limits of their own; that of the protocol would only hide which one was exceeded.
    protocolTimeout: 0,
  });
}

export async function launch({ origin, tlsOrigin, settings }) {
  const browser = await start();
  const newPage = () => browser.newPage();

  const suites = [];
  for (const at of [tlsOrigin, origin].filter(Boolean)) {
    suites.push(await openPage({ newPage, runtime: "firefox", origin: at, settings }));
  }
  return {
    suites,
    version: await browser.version(),
    newUi: async (url) => adapt(await browser.newPage(), url),
    close: () => browser.close(),
  };
}

async function adapt(page, url) {
  page.setDefaultTimeout(10_000);
  await page.goto(url);
  return {
    click: (selector) => page.click(selector),
    fill: (selector, text) => page.locator(selector).fill(text),
    press: (key) => page.keyboard.press(key),
    select: (selector, value) => page.select(selector, value),
    evaluate: (question, argument) => page.evaluate(question, argument),
    until: (question, argument) => page.waitForFunction(question, {}, argument),
    go: (to) => page.goto(to),
    goBack: () => page.goBack(),
    close: () => page.close(),
  };
}
