import { start } from "../../js/targets/firefox.mjs";
import { complain } from "../complain.mjs";
import { launchPage } from "./browser.mjs";

export async function launch(options) {
  const browser = await start();
  async function open(url) {
    const page = await browser.newPage();
    page.on("pageerror", complain);
    await page.goto(url);
  }
  return launchPage({ ...options, open, close: () => browser.close() });
}
