import puppeteer from "puppeteer-core";
import { complain } from "../complain.mjs";
import { launchPage } from "./browser.mjs";

export async function launch(options) {
  const browser = await puppeteer.launch({
    browser: "firefox",
    executablePath: process.env.FIREFOX ?? "/usr/bin/firefox-esr",
    headless: true,
    acceptInsecureCerts: true,
    protocol: "webDriverBiDi",
  });
  async function open(url) {
    const page = await browser.newPage();
    page.on("pageerror", complain);
    await page.goto(url);
  }
  return launchPage({ ...options, open, close: () => browser.close() });
}
