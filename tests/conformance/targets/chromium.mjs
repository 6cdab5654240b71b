import { chromium } from "playwright-core";
import { complain } from "../complain.mjs";
import { launchPage } from "./browser.mjs";

export async function launch(options) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROME ?? "/usr/bin/chromium",
    headless: true,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-dev-shm-usage",
      "--no-first-run",
      "--disable-quic",
      "--disable-background-networking",
    ],
  });
  async function open(url) {
    const page = await browser.newPage({ ignoreHTTPSErrors: true });
    page.on("pageerror", complain);
    await page.goto(url);
  }
  return launchPage({ ...options, open, close: () => browser.close() });
}
