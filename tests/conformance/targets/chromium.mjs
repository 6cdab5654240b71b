import { start } from "../../js/targets/chromium.mjs";
import { complain } from "../complain.mjs";
import { launchPage } from "./browser.mjs";

export async function launch(options) {
  const browser = await start();
  async function open(url) {
    const page = await browser.newPage({ ignoreHTTPSErrors: true });
    page.on("pageerror", complain);
    await page.goto(url);
  }
  return launchPage({ ...options, open, close: () => browser.close() });
}
