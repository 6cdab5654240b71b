// @ts-check
/**
 * The life of a call as two lines side by side: what this page did and received, what the server saw. Time runs down,
 * for both alike; pauses are drawn shorter than they were. What is cause and effect is joined by an arrow.
 *
 * @import { LaneEvent } from "./lane.js"
 * @import { GreetCall } from "./call.js"
 * @typedef {"client" | "server"} Side
 * @typedef {{ side: Side, event: LaneEvent, at: number, y: number }} Mark
 */
import { align, links } from "./clock.js";
import { byId, el } from "./dom.js";
import { label, seconds, time, toneOf } from "./words.js";

const ROW = 28;
/** Where the lanes are narrow, the time stands below the words. */
const NARROW = { row: 42, below: 600 };
const TOP = 18;
const TAIL = 44;
const PAUSE_MS = 1000;

const lanes = byId("lanes", HTMLElement);
const scroll = byId("scroll", HTMLElement);
const wire = byId("wire", SVGSVGElement);
const lists = { client: byId("client-events", HTMLElement), server: byId("server-events", HTMLElement) };

/** @type {Map<string, HTMLElement>} */
let items = new Map();
/** @type {GreetCall | undefined} */
let shown;

/**
 * Draws the call; gives back how its clocks were aligned.
 * @param {GreetCall | undefined} call
 */
export function drawTimeline(call) {
  if (call !== shown) clear();
  shown = call;
  byId("lanes-empty", HTMLElement).hidden = Boolean(call);
  if (!call) return { offset: 0, slack: null };
  const narrow = lanes.clientWidth < NARROW.below;
  const gutter = Math.round(Math.min(120, Math.max(36, lanes.clientWidth * 0.15)));
  lanes.classList.toggle("narrow", narrow);
  lanes.style.setProperty("--gutter", `${gutter}px`);
  const linked = links(call);
  const clock = align(linked);
  const marks = place(call, clock.offset, narrow ? NARROW.row : ROW);
  const atBottom = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 60;
  const height = (marks.at(-1)?.y ?? 0) + (call.running ? TAIL : TOP) + 6;
  lanes.style.height = `${Math.max(height, 120)}px`;
  drawItems(call, marks);
  drawWire(call, marks, linked, gutter, height);
  if (atBottom) scroll.scrollTop = scroll.scrollHeight;
  return clock;
}

new ResizeObserver(() => drawTimeline(shown)).observe(scroll);

function clear() {
  items = new Map();
  lists.client.replaceChildren();
  lists.server.replaceChildren();
  wire.replaceChildren();
  lanes.style.height = "";
}

/**
 * All marks in order of time, each with its height on the page.
 * @param {GreetCall} call
 * @param {number} offset
 * @param {number} row
 * @returns {Mark[]}
 */
function place(call, offset, row) {
  const marks = [
    ...call.client.events.map((event) => mark("client", event, event.at)),
    ...call.server.events.map((event) => mark("server", event, event.at + offset)),
  ].sort((a, b) => a.at - b.at || rank(a) - rank(b));
  const free = { client: 0, server: 0 };
  let y = TOP;
  let before = marks[0]?.at ?? 0;
  for (const one of marks) {
    y = Math.max(y + Math.min(row * 2, 7 * Math.log2(1 + one.at - before)), free[one.side]);
    before = one.at;
    one.y = y;
    free[one.side] = y + row;
  }
  return marks;
}

/** Browsers round their clocks: at the same instant, what we do comes first and what reaches us last. @param {Mark} one */
function rank({ side, event }) {
  if (side === "server") return 1;
  return ["open", "send", "half-close", "cancel"].includes(event.what) ? 0 : 2;
}

/** @returns {Mark} */
function mark(/** @type {Side} */ side, /** @type {LaneEvent} */ event, /** @type {number} */ at) {
  return { side, event, at, y: 0 };
}

/**
 * @param {GreetCall} call
 * @param {Mark[]} marks
 */
function drawItems(call, marks) {
  const before = items;
  items = new Map();
  for (const one of marks) {
    const key = `${one.side} ${one.event.id}`;
    const item = before.get(key) ?? lists[one.side].appendChild(newItem(one));
    before.delete(key);
    items.set(key, item);
    item.style.top = `${one.y}px`;
    write(item, call, one);
  }
  for (const item of before.values()) item.remove();
}

/** @param {Mark} one */
function newItem(one) {
  return el(
    "li",
    { "data-what": one.event.what },
    el("span", { className: "label" }, el("span", { className: "verb" }), el("q", { hidden: true })),
    el("time"),
    el("i", { className: "mark", "aria-hidden": "true" }),
  );
}

/**
 * @param {HTMLElement} item
 * @param {GreetCall} call
 * @param {Mark} one
 */
function write(item, call, { side, event, at }) {
  const [words, when] = /** @type {any} */ (item.children);
  const [verb, quote] = words.children;
  const said = label(side, event, call);
  put(verb, said.verb);
  if (event.what === "end") breakable(verb);
  put(quote, said.quote ?? "");
  quote.hidden = said.quote === undefined;
  put(when, time(at));
  item.title = why(event);
  if (event.count !== undefined)
    item.dataset["count"] = String((event.last ?? event.count) - event.count + 1);
  if (event.what === "end") item.dataset["tone"] = toneOf(side, event);
}

/** Lets a long name of a status break after its underscores. @param {HTMLElement} element */
function breakable(element) {
  if (element.querySelector("wbr")) return;
  const parts = (element.textContent ?? "").split(/(?<=_)/);
  element.replaceChildren(...parts.flatMap((part) => [part, el("wbr")]));
}

/** @param {LaneEvent} event */
function why(event) {
  const { detail } = event;
  if (event.what === "end") return detail?.message ?? "";
  if (event.what === "cancelled") return detail?.error ?? "";
  if (event.what === "open" && detail?.timeout) return `with a deadline: ${detail.timeout}`;
  if (detail?.bytes !== undefined) return `${detail.bytes} bytes`;
  return "";
}

/** @param {Element} element @param {string} text */
function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * The two life lines, the arrows between them, and the pauses.
 * @param {GreetCall} call
 * @param {Mark[]} marks
 * @param {ReturnType<typeof links>} linked
 * @param {number} width
 * @param {number} height
 */
function drawWire(call, marks, linked, width, height) {
  wire.setAttribute("width", String(width));
  wire.setAttribute("height", String(height));
  const y = new Map(marks.map((one) => [one.event, one.y]));
  const parts = [
    ...lifeLine(call, marks, "client", 0.5, height),
    ...lifeLine(call, marks, "server", width - 0.5, height),
  ];
  for (const { client, server, toServer } of linked) {
    const [left, right] = [y.get(client) ?? 0, y.get(server) ?? 0];
    parts.push(toServer ? arrow(8, left, width - 9, right) : arrow(width - 8, right, 9, left));
  }
  for (const [i, one] of marks.entries()) {
    const before = marks[i - 1];
    if (before && one.at - before.at >= PAUSE_MS) {
      parts.push(svg("text", { x: width / 2, y: (one.y + before.y) / 2 + 3.5 }, seconds(one.at - before.at)));
    }
  }
  if (call.running && marks.length) {
    parts.push(svg("text", { x: width / 2, y: height - 2 }, seconds(performance.now() - call.start)));
  }
  wire.replaceChildren(...parts);
}

/**
 * Solid while this page may send, lighter from the half-close on, to the end of the call on that side.
 * @param {GreetCall} call
 * @param {Mark[]} marks
 * @param {Side} side
 * @param {number} x
 * @param {number} height
 */
function lifeLine(call, marks, side, x, height) {
  const own = marks.filter((one) => one.side === side);
  const first = own[0];
  if (!first) return [];
  const end = own.find((one) => one.event.what === "end");
  const half = own.find((one) => one.event.what === "half-close");
  const bottom = end?.y ?? (call.running ? height : (own.at(-1)?.y ?? 0));
  const parts = [line(x, first.y, half?.y ?? bottom, "lifeline")];
  if (half) parts.push(line(x, half.y, bottom, "lifeline half"));
  if (!end && call.running) parts.push(svg("circle", { cx: x, cy: height - 5, r: 3, class: "now" }));
  return parts;
}

/**
 * @param {number} x
 * @param {number} from
 * @param {number} to
 * @param {string} className
 */
function line(x, from, to, className) {
  return svg("line", { x1: x, y1: from, x2: x, y2: to, class: className });
}

/**
 * @param {number} x1
 * @param {number} y1
 * @param {number} x2
 * @param {number} y2
 */
function arrow(x1, y1, x2, y2) {
  const angle = Math.atan2(y2 - y1, x2 - x1);
  const head = (/** @type {number} */ turn) =>
    `${(x2 - 5 * Math.cos(angle + turn)).toFixed(1)} ${(y2 - 5 * Math.sin(angle + turn)).toFixed(1)}`;
  return svg("path", {
    d: `M${x1} ${y1}L${x2} ${y2}M${head(0.5)}L${x2} ${y2}L${head(-0.5)}`,
    class: "arrow",
  });
}

/**
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 * @param {string} text
 */
function svg(tag, attributes, text = "") {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.textContent = text;
  return element;
}
