// @ts-check
/**
 * How a call stands and how it ended: status, whose fault, headers, trailers; and the list of recent calls.
 *
 * @import { GreetCall } from "./call.js"
 * @import { Metadata } from "../pkg-config/src/types.ts"
 */
import { byId, el } from "./dom.js";
import { FAULTS, KINDS, plural, story, time, toneOf } from "./words.js";

/**
 * @param {GreetCall | undefined} call
 * @param {{ offset: number, slack: number | null }} clock
 */
export function drawOutcome(call, clock) {
  byId("subject", HTMLElement).textContent = call ? subject(call) : "";
  drawStatus(call);
  byId("story", HTMLElement).textContent = call ? story(call, clock.offset) : "";
  byId("blind", HTMLElement).textContent = call?.blind ?? "";
  byId("clock", HTMLElement).textContent = call ? aboutClock(call, clock) : "";
  byId("metadata", HTMLElement).hidden = !call?.ending;
  if (!call?.ending) return;
  drawMetadata("headers", call.headers);
  drawMetadata("trailers", call.ending.trailers);
}

/**
 * @param {GreetCall[]} calls
 * @param {GreetCall | undefined} selected
 * @param {(call: GreetCall) => void} select
 */
export function drawRecent(calls, selected, select) {
  byId("recent-panel", HTMLElement).hidden = calls.length === 0;
  const list = byId("recent", HTMLElement);
  const next = el("ol", {}, ...calls.map((call) => entry(call, call === selected, select)));
  // A button replaced between press and release would lose the click.
  if (next.innerHTML === list.innerHTML) return;
  const focused = document.activeElement?.getAttribute("data-call");
  list.replaceChildren(...next.childNodes);
  if (focused) /** @type {HTMLElement | null} */ (list.querySelector(`[data-call="${focused}"]`))?.focus();
}

/**
 * @param {GreetCall} call
 * @param {boolean} pressed
 * @param {(call: GreetCall) => void} select
 */
function entry(call, pressed, select) {
  const props = {
    type: "button",
    "data-call": call.id,
    "aria-pressed": pressed,
    onclick: () => select(call),
  };
  const button = el(
    "button",
    props,
    el("i", { className: `dot ${tone(call)}` }),
    el("span", {}, `${KINDS[call.settings.kind]}, ${call.settings.server.name}`),
    el("span", { className: "hint" }, [standing(call), call.transport].filter(Boolean).join(", ")),
    el("time", {}, call.date.toLocaleTimeString()),
  );
  return el("li", {}, button);
}

/** @param {GreetCall} call */
function subject(call) {
  const by = call.transport ?? (call.settings.transport === "auto" ? "" : call.settings.transport);
  return `${KINDS[call.settings.kind]} to ${call.settings.server.name}${by ? ` over ${by}` : ""}`;
}

/** @param {GreetCall | undefined} call */
function drawStatus(call) {
  const box = byId("status", HTMLElement);
  const next = el(
    "div",
    {},
    el(
      "p",
      { className: "standing" },
      el("i", { className: `dot ${tone(call)}` }),
      el("b", {}, standing(call)),
    ),
    ...details(call),
  );
  if (next.isEqualNode(box.firstElementChild)) return;
  box.dataset["code"] = call?.ending?.codeName ?? "";
  box.replaceChildren(next);
}

/** @param {GreetCall | undefined} call */
function details(call) {
  if (!call?.ending) return [];
  const { code, rawCode, message, fault, codeName } = call.ending;
  const number = code === undefined ? "" : `code ${rawCode ?? code}`;
  const end = call.client.find("end");
  const after = end ? `after ${time(end.at)}` : "";
  const lines = [el("span", { className: "hint" }, [number, after].filter(Boolean).join(", "))];
  if (message && message !== codeName) lines.push(el("p", { className: "said" }, message));
  const whose = fault && FAULTS[fault];
  if (whose) lines.push(el("p", { className: "hint", "data-fault": fault }, whose));
  return lines;
}

/** @param {GreetCall | undefined} call */
function standing(call) {
  if (!call) return "No call yet";
  if (call.ending) return call.ending.codeName;
  return { opening: "Opening", open: "Open", "half-closed": "Half-closed, still receiving", ended: "Ended" }[
    call.state
  ];
}

/** @param {GreetCall | undefined} call */
function tone(call) {
  if (!call) return "plain";
  if (call.running) return "running";
  const end = call.client.find("end");
  return end ? toneOf("client", end) : "plain";
}

/**
 * @param {GreetCall} call
 * @param {{ slack: number | null }} clock
 */
function aboutClock(call, clock) {
  const dropped = call.client.dropped + call.server.dropped;
  const left = dropped ? ` ${plural(dropped, "older mark")} left out.` : "";
  if (call.server.events.length === 0)
    return call.running && !call.blind ? "Waiting for the server's log." : left;
  const within = clock.slack === null ? "" : `, to within ${time(clock.slack)}`;
  return `Both sides are on this page's clock; the server's is set by cause and effect${within}.${left}`;
}

/**
 * @param {"headers" | "trailers"} id
 * @param {Metadata | undefined} metadata
 */
function drawMetadata(id, metadata) {
  const entries = [...(metadata ?? [])];
  const next = entries.flatMap(([name, value]) => [
    el("dt", {}, name),
    el("dd", {}, typeof value === "string" ? value : `${plural(value.length, "byte")}: ${hex(value)}`),
  ]);
  byId(id, HTMLElement).replaceChildren(
    ...(entries.length ? next : [el("dd", { className: "none" }, "none")]),
  );
}

/** @param {Uint8Array} bytes */
function hex(bytes) {
  const shown = Array.from(bytes.subarray(0, 24), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return bytes.length > 24 ? `${shown} …` : shown;
}
