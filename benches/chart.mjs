// The chart that the README shows: what a message costs, client by client. Plain SVG, legible on light and on dark.
import { caseOf, figure } from "./figures.mjs";

const panels = [
  { title: "100 B messages: CPU µs each", name: "stream-100B", what: "cpu" },
  { title: "Records: CPU µs each", name: "records", what: "cpu" },
  { title: "Unary, one by one: CPU µs each", name: "unary", what: "cpu" },
  { title: "Bidi flood of 10,000: ms", name: "flood", what: "ms" },
];

const WIDTH = 720;
const LABEL = 220;
const BAR = 16;
const GAP = 6;

export function chart(results) {
  let y = 8;
  const parts = [];
  for (const panel of panels) {
    const { rows, count } = caseOf(results, "chromium", panel.name);
    const [unit, each] = panel.what === "cpu" ? [1_000, count] : [1, 1];
    const values = Object.keys(rows)
      .filter((client) => !client.endsWith(" alone"))
      .map((client) => [client, (figure(rows, client, panel.what) * unit) / each])
      .sort(([, a], [, b]) => a - b);
    if (values.length === 0) continue;
    const most = Math.max(...values.map(([, value]) => value));
    parts.push(`<text x="0" y="${y + 12}" class="title">${panel.title}</text>`);
    y += 24;
    for (const [client, value] of values) {
      const length = Math.max(1, ((WIDTH - LABEL - 70) * value) / most);
      parts.push(
        `<text x="${LABEL - 8}" y="${y + 12}" text-anchor="end">${client}</text>`,
        `<rect x="${LABEL}" y="${y}" width="${length.toFixed(1)}" height="${BAR}" rx="2" class="${kind(client)}"/>`,
        `<text x="${(LABEL + length + 6).toFixed(1)}" y="${y + 12}">${value.toPrecision(3)}</text>`,
      );
      y += BAR + GAP;
    }
    y += 14;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" role="img" aria-label="What a message costs in Chromium, client by client; shorter is better">
<style>
text { font: 12px system-ui, sans-serif; fill: #6b7280 }
.title { font-weight: 600; font-size: 13px }
.ours { fill: #0f9d8a } .peer { fill: #9ca3af } .limit { fill: none; stroke: #9ca3af; stroke-dasharray: 3 2 }
</style>
${parts.join("\n")}
</svg>
`;
}

function kind(client) {
  if (client.startsWith("Tidewire")) return "ours";
  return client.startsWith("raw") ? "limit" : "peer";
}
