import { writeFile } from "node:fs/promises";
import { bars } from "./bars.mjs";
import { cases } from "./cases.mjs";
import { chart } from "./chart.mjs";
import { networkCases, socket } from "./network.mjs";
import { figure, median, ratio, rowsOf } from "./figures.mjs";

/** Functions that a profile names. */
const FUNCTIONS = 12;

const docs = new URL("../docs/", import.meta.url);

/** docs/benchmarks.md and the chart that the README shows. */
export async function writeDocs(results) {
  await writeFile(new URL("benchmarks.md", docs), page(results));
  await writeFile(new URL("benchmarks.svg", docs), chart(results));
}

/** docs/benchmarks-network.md. */
export async function writeNetworks(results) {
  await writeFile(new URL("benchmarks-network.md", docs), networkPage(results));
}

/** The tables of the networks, for a terminal. */
export function networkSummary(results) {
  return networkTables(results).join("\n\n");
}

/** The tables, for a terminal. */
export function summary(results) {
  return [barsTable(results), ...caseTables(results), sizeTable(results), ...profiles(results)].join("\n\n");
}

function page(results) {
  const { machine, rounds, versions } = results;
  const where = Object.values(versions).join(", ");
  return `<!-- Written by \`cargo xtask bench\`; edit benches/report.mjs instead. -->

# Benchmarks

\`\`\`sh
cargo xtask bench                       # all of it, and this page
cargo xtask bench stream-100B chromium  # one case, in one runtime
\`\`\`

Taken with ${where} on ${machine.processors} processors (${machine.model}), ${machine.memory} GiB,
${machine.system}; load average ${machine.load} at the start. All figures are medians, of ${rounds} rounds for the
gateway; each table says of how many, and in how many pages or processes of each client. Rounds in front of them, until
all is compiled, are not counted.

**Read the ratios.** The clients of a case take turns in every round, each ratio is taken within its round, and the median
of those is shown: so a busy machine moves the absolute figures more than the ratios. A small operation costs some per
cent more in one page than in another of the same client, for all of its life, and no number of rounds in one page
shows that: those cases are run in several pages, one after the other.

CPU is the time that all threads of the client's own process had, a renderer or a Node process, by
\`/proc/<pid>/task/*/schedstat\`; each client has a process to itself. Growth is how far its memory rose above what it held
before the call. Server CPU is that of the one process that serves all: the service, written by hand so that it costs
next to nothing, and the gateway before it for calls over a WebSocket. \`fetch\` clients reach the service without the
gateway, over HTTP/1.1.

"deframed" is a deframer written for this purpose and nothing else: no status, no deadline, no cancel. "alone" is a codec
without a network. Tidewire hands out bytes unless a codec is named; the peers decode always, grpc-web by ts-proto
here, which is faster than its own generator's code. The gRPC-Web of grpc-web gives the messages of a binary stream
only once all of it is there.

"In Rust" is the client that tonic generates, over \`tidewire::Channel\`, and tonic-web-wasm-client is the same over that:
one program ([benches/rust](../benches/rust/)), built with \`opt-level = 3\`, fat LTO and \`wasm-opt -O3\`, as one that is to
be fast. Messages are decoded and counted in WebAssembly.

A case can be run alone, and takes its place among the figures of the others: they need not come from one hour, or from
one commit.

## Bars

${barsTable(results)}

### Unary calls from Rust

The bars name no transport, so there is a row for each that Tidewire has and tonic-web-wasm-client, which is \`fetch\` alone, is
the other side of both. Raw fetch without any client takes ${ofPredecessor(results, "unary")} of its CPU for calls one after the other,
and ${ofPredecessor(results, "unary-32")} for 32 in flight: no client over \`fetch\` gets below that. Over \`tidewire.v1\` it is not the client that is so
much cheaper, but the way: a WebSocket message each way, and no \`fetch\`. It takes the gateway, and a channel that asks for
it by \`Transport::TidewireV1\`; by \`Transport::Auto\` a request that says \`CallKind::Unary\` takes such a socket while it is
open.

The main thread of a page, 32 unary calls in flight, by Chromium's profiler on a busy machine: the shares count. What the
channel can save over \`fetch\` is all but the first two lines.

| µs a call | raw fetch | Tidewire in Rust, fetch | tonic-web-wasm-client |
| --- | ---: | ---: | ---: |
| the browser, outside any function | 1,477 | 1,791 | 1,476 |
| \`fetch\`, \`Request\` and who calls them | 1,423 | 1,321 | 1,562 |
| the browser's other functions: reading, texts, timers | 38 | 163 | 147 |
| other JavaScript | 48 | 114 | 374 |
| WebAssembly: tonic, prost, the channel | – | 94 | 102 |
| garbage collector | 3 | 33 | 69 |
| all | 2,993 | 3,515 | 3,731 |

What of \`fetch\` the channel uses beyond raw fetch costs next to nothing, by the table in
[Where the rest goes](#where-the-rest-goes). tonic-web-wasm-client aborts a body whose trailers it has; Tidewire reads it to its end, which leaves the connection
fit for the next call.

${caseTables(results).join("\n\n")}

## Size

${sizeTable(results)}

What a page of one unary call loads, by esbuild, minified; Tidewire's with the module inlined in base64 for the
application, and beside the JavaScript for "without codec". [SIZE.md](../SIZE.md) is the measure that is held to a budget.

Far from the server, with delay and loss: [docs/benchmarks-network.md](benchmarks-network.md).

## Cold start

From the start of a navigation to the first unary reply, in a browser context of its own, and how many times as long as
connect-web's in the same round, by ${Object.values(results.cold)[0]?.length ?? "no"} starts of each. The pages come over loopback as they are, where bytes cost next to nothing: on a slow
line the download counts, which is the table above.

${coldTable(results)}

## Where the rest goes

\`\`\`sh
cargo xtask bench profile chromium
\`\`\`

What Chromium's profiler sees on the main thread of a page that has run the case before, in µs of each operation. Where
nothing runs, the page waits for other processes and threads: the browser's network process, the gateway, the service.
"browser" is the browser's own code, outside any function that has a name; "called by JavaScript" are its functions such
as \`fetch\` and \`send\`. WebAssembly is the module as it ships, whose functions have no names.

- Of a unary call over fetch, all but the JavaScript and the WebAssembly is the browser's, as in raw fetch, and no member
  of \`fetch\` makes the difference: see below. What is Tidewire's own is about 120 µs a call on a \`fetch\` that answers
  at once, in a page whose caches are as cold as they are between two calls; hot it is 20. The walk over the response's
  headers, the way of both blocks of headers across the border and the opening of the call are 10 to 15 each, the rest
  smaller. To read the ends of bodies together, ten times a second, made no difference: 1.10 against 1.14 in one run of
  six pages, 1.08 against 1.07 in one of nine.
- A unary call over tidewire.v1 is one WebSocket message each way of about 100 and 220 bytes, as a ping-pong is, and the
  browser takes as much for them as for those of a raw WebSocket: about two thirds of what the bar allows.
- A round trip of a ping-pong takes some 90 µs longer than that of a raw WebSocket, whose echo is the gateway's own: 55 of
  processor for HTTP/2 to the service and back, which are all that the bar allows, and 40 in the page.
- 64 KiB messages over tidewire.v1: Chromium takes the most of it to receive a WebSocket message of that size, and it is
  no cheaper a byte in smaller or larger ones. A message and its prefix are more than one WebSocket message may be, so
  that nearly all have to be joined.

### What each part of fetch costs

A unary call of 100 bytes by raw fetch with one thing more, and at the end with all of it: its CPU ÷ that of raw fetch, by
medians of 7 to 13 rounds on a busy machine, where "nothing" says how far to trust the rest.

| raw fetch and | Chromium | 32 in flight | Node | 32 in flight |
| --- | ---: | ---: | ---: | ---: |
| nothing | 1.02 | 1.02 | 1.03 | 0.95 |
| a \`Headers\` object | 1.06 | 1.11 | 1.05 | 1.13 |
| the signal of an \`AbortController\` | 1.06 | 1.04 | 1.00 | 1.07 |
| a reader in place of \`arrayBuffer()\` | 0.93 | 1.03 | 0.83 | 0.95 |
| a reader, and one read more for the end | 1.00 | 0.99 | 0.86 | 0.94 |
| a walk through all headers | 1.16 | 1.06 | 0.92 | 1.00 |
| the same by \`forEach\` | 1.02 | 1.14 | 0.92 | 1.04 |
| a timer, set and cleared | 1.03 | 1.12 | 0.98 | 0.97 |
| a promise around it | 1.05 | 1.05 | 0.95 | 1.06 |
| all of it | 1.04 | 1.08 | 0.95 | 1.02 |
| XMLHttpRequest in its place | 0.87 | 0.90 | – | – |

XMLHttpRequest, which grpc-web stands on, is the one cheaper way. A call would lose by it: nothing of a body can be read
before its end, so one that stays open behind the trailers hangs and one that breaks behind them fails, and a message above
its limit is noticed by progress alone, of which is told every 50 ms.

${profiles(results).join("\n\n")}
`;
}

function barsTable(results) {
  const rows = bars.map(({ what, limit, met, of }) => {
    const value = of(results);
    if (value === undefined) return [what, limit, "–", "not run"];
    return [what, limit, number(value), met(value) ? "met" : "**missed**"];
  });
  return markdown(["what", "bar", "measured", ""], rows);
}

/** What raw fetch takes of the CPU of the client of Rust programs before. */
function ofPredecessor(results, name) {
  return number(ratio(rowsOf(results, "chromium", name), "raw fetch", "tonic-web-wasm-client", "cpu"));
}

function caseTables(results) {
  const place = ({ name }) => cases.findIndex((one) => one.name === name);
  const sorted = [...results.cases].sort((a, b) => place(a) - place(b) || a.runtime.localeCompare(b.runtime));
  return sorted.map(({ name, runtime, sets, count, rows }) => {
    const { title, reference } = cases.find((one) => one.name === name);
    const table = Object.keys(rows)
      .map((client) => ({ client, cpu: figure(rows, client, "cpu") }))
      .sort((a, b) => a.cpu - b.cpu)
      .map(({ client, cpu }) => [
        client,
        number(figure(rows, client, "ms")),
        number(ratio(rows, client, reference, "ms")),
        number((cpu * 1000) / count),
        number(ratio(rows, client, reference, "cpu")),
        ...["p50", "p99", "growth", "serverCpu"].map((what) => number(figure(rows, client, what))),
      ]);
    const head = ["client", "ms", "÷", "CPU µs each", "÷", "p50 ms", "p99 ms", "growth MB", "server CPU ms"];
    const [where, processes] = { chromium: ["Chromium", "pages"], node: ["Node", "processes"] }[runtime];
    const rounds = `${Object.values(rows)[0].length} rounds${sets > 1 ? ` in ${sets} ${processes}` : ""}`;
    return `## ${title}, ${where}\n\n${rounds}, ÷ by ${reference}.\n\n${markdown(head, table)}`;
  });
}

function sizeTable({ sizes }) {
  const rows = Object.entries(sizes).map(([name, { app, codec, runtime }]) => {
    return [name, number(app.brotli), number(codec.brotli), number(runtime.brotli)];
  });
  return markdown(["brotli bytes", "application", "codec", "without codec"], rows);
}

function coldTable({ cold }) {
  return markdown(
    ["client", "ms", "÷"],
    Object.entries(cold).map(([name, times]) => [
      name,
      number(median(times)),
      number(median(times.map((ms, start) => ms / cold.connect[start]))),
    ]),
  );
}

function networkPage(results) {
  const { machine, rounds, version, mbit } = results;
  return `<!-- Written by \`cargo xtask bench network\`; edit benches/report.mjs instead. -->

# Benchmarks far from the server

\`\`\`sh
cargo xtask bench network             # all of it, and this page
cargo xtask bench network 50ms        # one network
\`\`\`

Taken with ${version} on ${machine.processors} processors (${machine.model}), ${machine.system}; load average
${machine.load} at the end. Medians of ${rounds} rounds behind one that is not counted. Linux and root only, and no part of
\`cargo xtask bench\`. On a busy machine the packets are late, and raw clients miss the rate too: read the ratios.

Chromium in one network namespace, gateway and service in another. Between them stands
[\`benches/wan/\`](../benches/wan/main.go), which forwards IP packets between two TUN devices: ${mbit} Mbit/s each way, each
packet after half the round trip, and on a lossy line 1 % of them lost each way, drawn by a fixed seed. So it is the
kernel's own TCP on both sides that meets delay and loss. Without delay a round trip is what forwarding takes.

"raw fetch" reads or sends a body without any client, the service directly; "raw WebSocket" is one socket of messages of
64 KiB on the same server, of 64 KiB also where ours are smaller. A client moves 16 MiB a round; on a lossy line of 10 ms
4 MiB, of 50 ms 1 MiB. ÷: Tidewire's by the better of the raw ones.

${networkTables(results).join("\n\n")}
`;
}

function networkTables({ rows }) {
  return networkCases.map(({ title, clients, params }) => {
    const calls = ["unary", "behind"].includes(params.op);
    const [what, unit, raw] = calls ? ["p50", "ms", Math.min] : ["mbit", "Mbit/s", Math.max];
    const table = rows
      .filter((row) => row.title === title)
      .map(({ network, figures }) => {
        const of = (client) => median(figures[client].map((round) => round[what]));
        const limit = raw(...clients.filter((client) => client !== socket).map(of));
        return [
          network,
          ...Object.keys(figures).map((client) => number(of(client))),
          number(of(socket) / limit),
        ];
      });
    const names = Object.keys(rows.find((row) => row.title === title)?.figures ?? {});
    return `## ${title}\n\n${calls ? "Median call, " : ""}${unit}.\n\n${markdown(["network", ...names, "÷"], table)}`;
  });
}

function profiles({ profiles = [] }) {
  return profiles.map(({ name, of }) => {
    const { title } = cases.find((one) => one.name === name);
    const clients = Object.keys(of);
    const layers = rows(clients.map((client) => of[client].layers));
    const functions = rows(clients.slice(1).map((client) => of[client].functions)).slice(0, FUNCTIONS);
    return [
      `### ${title}`,
      markdown(["layer, µs", ...clients], layers),
      markdown(["function, µs of its own", ...clients.slice(1)], functions),
    ].join("\n\n");
  });
}

/** One row for each name in any of the columns, the dearest first. */
function rows(columns) {
  const names = [...new Set(columns.flatMap((column) => Object.keys(column)))];
  const most = (name) => Math.max(...columns.map((column) => column[name] ?? 0));
  return names
    .sort((a, b) => most(b) - most(a))
    .map((name) => [name, ...columns.map((column) => number(column[name] ?? 0))]);
}

function markdown(head, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  const rule = head.map((_, n) => (n === 0 ? "---" : "---:"));
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}

function number(value) {
  if (value === undefined || Number.isNaN(value)) return "–";
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
