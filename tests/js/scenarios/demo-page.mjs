import { fail } from "../assert.mjs";
import { allServers } from "../harness.mjs";
import { leaveScenarios } from "./leave-page.mjs";

/** The demo page, used by hand: real clicks and keys from the browser's driver. */
const at = (id) => `[data-testid="${id}"]`;

const stories = {
  "two messages, half-close, goodbyes, OK, on both time lines": async (page) => {
    await openCall(page);
    await say(page, "Ada", () => page.press("Enter"));
    await page.until(countIs, [at("message-in"), 1]);
    await say(page, "Bo", () => page.click(at("send")));
    await page.until(countIs, [at("message-in"), 2]);
    await page.click(at("half-close"));
    await page.until(countIs, [at("message-in"), 5]);
    await endsWith(page, "OK");
    await both(page, ["open", "half-close", "end"], ["open", "message", "half-close", "end"]);

    const texts = await page.evaluate(textsOf, at("message-in"));
    const wanted = ["Hello, Ada", "Hello, Bo", "Goodbye 1", "Goodbye 2", "Goodbye 3"];
    if (wanted.some((text, i) => !texts[i].includes(text)))
      fail(`expected ${wanted}, the page shows ${texts}`);
  },

  "cancel ends a stream that never ends, and the server's time line shows it": async (page) => {
    await page.click(at("never-end"));
    await openCall(page);
    await say(page, "Ada", () => page.press("Enter"));
    await page.until(countIs, [at("message-in"), 1]);
    await page.click(at("cancel"));
    await endsWith(page, "CANCELLED");
    await both(page, ["open", "end"], ["open", "cancelled", "end"]);
  },

  "the deadline ends a stream that never ends, and the server's time line shows it": async (page) => {
    await page.click(at("never-end"));
    await page.fill(at("deadline"), "900");
    await openCall(page);
    await say(page, "Ada", () => page.press("Enter"));
    await endsWith(page, "DEADLINE_EXCEEDED");
    await both(page, ["open", "end"], ["open", "end"]);
    const seen = await page.evaluate(eventsOf, at("server-events"));
    if (!seen.includes("cancelled") && !seen.includes("deadline"))
      fail(`the server's time line has only ${seen}`);
  },
};

/** A line for people, not an address. */
const saysWhat = (words) => (page) => page.until(shows, ["#about", words]);

async function isRefused(page) {
  await page.click(at("open"));
  await endsWith(page, "UNIMPLEMENTED");
  const words = await page.evaluate(textsOf, at("status"));
  if (!/tidewire\.v1|grpc-websockets/.test(words)) fail(`the status names no other transport: ${words}`);
}

export const uiScenarios = [
  ...allServers.flatMap((server) =>
    Object.entries(stories).map(([what, story]) => onPage(server, "tidewire.v1", what, story)),
  ),
  onPage("tonic", "fetch", "a bidi call is refused, and what would carry it is named", isRefused),
  ...leaveScenarios,
  onPage("tonic", "tidewire.v1", "it says what the server is", saysWhat("tonic (Rust)")),
  onPage("dubbo-go", "tidewire.v1", "it says what the server is", saysWhat("dubbo-go v3.")),
];

function onPage(server, transport, what, story) {
  return {
    name: `demo page / ${transport} / ${server} / ${what}`,
    async body(page) {
      await page.until(hasOption, [at("server"), server]);
      await page.select(at("server"), server);
      await page.select(at("kind"), "bidi");
      await page.select(at("transport"), transport);
      await story(page);
    },
  };
}

async function openCall(page) {
  await page.click(at("open"));
  await page.until(hasEvents, [at("client-events"), ["open"]]);
}

async function say(page, text, go) {
  await page.fill(at("message"), text);
  await go();
}

async function endsWith(page, codeName) {
  await page.until(statusIs, [at("status"), codeName]).catch(async (late) => {
    const words = await page.evaluate(
      (selector) => document.querySelector(selector).textContent,
      at("status"),
    );
    fail(`the page never showed ${codeName}; its status: ${words} (${late.message})`);
  });
}

async function both(page, client, server) {
  await page.until(hasEvents, [at("client-events"), client]);
  await page.until(hasEvents, [at("server-events"), server]);
}

// What follows runs inside the page.

function countIs([selector, count]) {
  return document.querySelectorAll(selector).length === count;
}

function hasOption([selector, value]) {
  return [...(document.querySelector(selector)?.options ?? [])].some((option) => option.value === value);
}

function shows([selector, words]) {
  return document.querySelector(selector)?.textContent.includes(words);
}

function statusIs([selector, codeName]) {
  return document.querySelector(selector)?.dataset.code === codeName;
}

function hasEvents([selector, wanted]) {
  const marks = [...document.querySelectorAll(`${selector} [data-what]`)].map((mark) => mark.dataset.what);
  return wanted.every((what) => marks.includes(what));
}

function eventsOf(selector) {
  return [...document.querySelectorAll(`${selector} [data-what]`)].map((mark) => mark.dataset.what);
}

function textsOf(selector) {
  return [...document.querySelectorAll(selector)].map((item) => item.textContent);
}
