/** The page of `examples/yew-chat`, used by hand. */
import { equal, eventually, ok } from "../assert.mjs";
import { stats } from "../observed.mjs";

const SERVER = "tonic";

const stories = {
  "messages and answers, half-close, OK": async (page) => {
    await say(page, "Ada");
    await hear(page, ["Hello, Ada"]);
    await say(page, "Bo");
    await hear(page, ["Hello, Ada", "Hello, Bo"]);
    await page.click("#close");
    await page.until(shows, ["li.note", "The call ended: Ok."]);
    equal(await page.evaluate(textsOf, "li.said"), ["Ada", "Bo"], "what was said");
    equal(await page.evaluate(textsOf, "#phase"), ["No call is open"], "the phase");
  },

  "hanging up ends the call at the server, and the next message opens another": async (page, origin) => {
    const before = await openCalls(origin);
    await say(page, "Ada");
    await hear(page, ["Hello, Ada"]);
    ok((await openCalls(origin)) > before, "the call to be open at the server");
    await page.click("#hang-up");
    await page.until(shows, ["li.note", "You hung up."]);
    await eventually(async () => (await openCalls(origin)) === before, "the server's call is over");
    await say(page, "Bo");
    await hear(page, ["Hello, Ada", "Hello, Bo"]);
  },
};

export const chatScenarios = Object.entries(stories).map(([what, body]) => ({
  name: `yew-chat / ${what}`,
  body,
}));

async function say(page, text) {
  await page.fill("#name", text);
  await page.click("#send");
}

async function hear(page, texts) {
  await page.until(shows, ["li.heard", texts.at(-1)]);
  equal(await page.evaluate(textsOf, "li.heard"), texts, "what was heard");
}

async function openCalls(origin) {
  return (await stats(origin, SERVER)).open;
}

function shows([selector, text]) {
  return [...document.querySelectorAll(selector)].some((element) => element.textContent === text);
}

function textsOf(selector) {
  return [...document.querySelectorAll(selector)].map((element) => element.textContent);
}
