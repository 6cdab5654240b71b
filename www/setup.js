// @ts-check
/**
 * The form that says which call to make.
 *
 * @import { CallKind, TransportName } from "../pkg-config/src/types.ts"
 * @import { Settings } from "./call.js"
 * @typedef {{ name: string, about: string, observed: boolean }} Server
 */
import { clientFor } from "./call.js";
import { byId, el } from "./dom.js";

const form = byId("setup", HTMLFormElement);
const server = byId("server", HTMLSelectElement);
const kind = byId("kind", HTMLSelectElement);
const transport = byId("transport", HTMLSelectElement);
const deadline = byId("deadline", HTMLInputElement);

/** What each wish is called on the wire, and where its number stands. */
const WISHES = {
  "greet-first": { header: "x-greet-first" },
  replies: { header: "x-count", number: "replies-count" },
  goodbyes: { header: "x-after-close", number: "goodbyes-count" },
  "never-end": { header: "x-never-end" },
  fail: { header: "x-fail-after", number: "fail-count" },
};

const OPEN_LABELS = {
  bidi: "Open the stream",
  client_stream: "Open the stream",
  server_stream: "Open the stream",
  unary: "Make the call",
};

/** @type {Server[]} */
let servers = [];

/** Asks for the servers and fills the form. */
export async function loadServers() {
  const response = await fetch("/servers");
  if (!response.ok) throw new Error(`/servers answered ${response.status} ${response.statusText}`);
  servers = await response.json();
  server.replaceChildren(...servers.map(({ name }) => el("option", { value: name, textContent: name })));
  refresh();
}

/**
 * The call that the form asks for.
 * @param {string} name the request of kinds that take it at once
 * @returns {Settings | undefined}
 */
export function settings(name) {
  const chosen = servers.find((one) => one.name === server.value);
  if (!chosen) return undefined;
  return {
    server: chosen,
    kind: chosenKind(),
    transport: chosenTransport(),
    timeoutMs: deadline.value === "" ? undefined : deadline.valueAsNumber,
    metadata: wishes(),
    name,
  };
}

export function chosenKind() {
  return /** @type {CallKind} */ (kind.value);
}

/** @param {() => void} open */
export function onOpen(open) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    open();
  });
}

/** @param {() => void} changed */
export function onChange(changed) {
  form.addEventListener("change", () => {
    refresh();
    changed();
  });
}

function chosenTransport() {
  return /** @type {"auto" | TransportName} */ (transport.value);
}

function wishes() {
  /** @type {Record<string, string>} */
  const metadata = {};
  for (const [id, wish] of Object.entries(WISHES)) {
    const box = byId(id, HTMLInputElement);
    if (!box.checked || !applies(box)) continue;
    metadata[wish.header] =
      "number" in wish ? String(byId(wish.number, HTMLInputElement).valueAsNumber || 0) : "1";
  }
  return metadata;
}

/** @param {HTMLInputElement} box */
function applies(box) {
  return box.closest("label")?.dataset["kinds"]?.split(" ").includes(kind.value);
}

function refresh() {
  const chosen = servers.find((one) => one.name === server.value);
  byId("about", HTMLElement).textContent = chosen?.about ?? "";
  byId("unobserved", HTMLElement).hidden = chosen?.observed ?? true;
  byId("open", HTMLButtonElement).textContent = OPEN_LABELS[chosenKind()];
  for (const id of Object.keys(WISHES)) {
    const box = byId(id, HTMLInputElement);
    box.closest("label")?.toggleAttribute("hidden", !applies(box));
  }
  limitFailure();
  if (chosen) sayWhatCarries(chosen);
}

/** @param {string} words */
function sentence(words) {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}

/** A kind that has one request cannot fail after two. */
function limitFailure() {
  const count = byId("fail-count", HTMLInputElement);
  const one = chosenKind() === "unary" || chosenKind() === "server_stream";
  count.max = one ? "1" : "1000";
  if (one && count.valueAsNumber > 1) count.value = "1";
}

/** @param {Server} chosen */
async function sayWhatCarries(chosen) {
  const asked = [server.value, kind.value, transport.value].join();
  const words = await carries(chosen);
  // The form may have been changed meanwhile.
  if (asked !== [server.value, kind.value, transport.value].join()) return;
  const hint = byId("carried", HTMLElement);
  hint.textContent = words.text;
  hint.classList.toggle("warning", !words.ok);
}

/** @param {Server} chosen */
async function carries(chosen) {
  try {
    const client = await clientFor(chosen.name, chosenTransport());
    const { ok, transport: by, reason } = client.supports(chosenKind());
    if (!ok) return { ok, text: sentence(reason ?? "this cannot be carried here") };
    return { ok, text: transport.value === "auto" ? `Here it takes ${by}.` : "" };
  } catch (error) {
    return {
      ok: false,
      text: `The tidewire package did not load: ${error instanceof Error ? error.message : error}`,
    };
  }
}
