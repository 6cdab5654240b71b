/**
 * Drives the scenario page. Playwright's and Puppeteer's pages agree on the few methods used here, so that the two
 * browsers differ in their launch and in `adapt` only.
 */
export async function openPage({ newPage, runtime, origin, settings }) {
  const page = await newPage();
  let list;

  async function load() {
    const complain = (error) => console.error(`# page error: ${error}`);
    page.on("pageerror", complain);
    // In a tab behind another one Firefox lets every timer wait for a second.
    await page.bringToFront();
    await page.goto(`${origin}/tests/page.html`);
    // Module scripts have run by the load event; this only gives a clear error if one of them failed.
    const ready = await page.evaluate(() => typeof globalThis.prepare === "function");
    if (!ready)
      throw new Error(`${origin}/tests/page.html did not load: is the demo server run with --also /tests=…?`);
    page.off("pageerror", complain);
    return page.evaluate((given) => globalThis.prepare(given), { runtime, ...settings });
  }

  return {
    label: origin.startsWith("https:") ? "TLS page" : "page",
    list: async () => (list ??= await load()),
    run: (name) => page.evaluate((wanted) => globalThis.runScenario(wanted), name),
    restart: load,
  };
}
