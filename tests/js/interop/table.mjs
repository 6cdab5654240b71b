/** The table: each row in each column is a cell, and each cell a test. */
import { carries } from "../harness.mjs";
import { isRefused } from "../scenarios/capability.mjs";
import { columns } from "./columns.mjs";
import { rows } from "./rows.mjs";

const REFUSED = {
  note: "this runtime cannot carry that kind over `fetch`; the call is refused at once with UNIMPLEMENTED, and what would carry it is named",
  body: (t) => isRefused(t, /grpc-websockets|tidewire\.v1/),
};

/** The cells of the columns whose peers run, in a runtime: `env` is `{ runtime, secure, peers, origin }`. */
export function cells(env) {
  const here = ({ peer, server, runtimes, secure = false }) =>
    [peer, server].every((name) => env.peers[name]) &&
    (!runtimes || runtimes.includes(env.runtime)) &&
    secure === env.secure;
  return columns.filter(here).flatMap((column) => {
    const asked = rows.filter(({ asks = () => true }) => asks(column));
    return asked.map((row) => ({ ...cell(env, column, row), column, row }));
  });
}

/** `how`: "yes", "differs" or "cannot"; the latter two have a `note`. */
function cell(env, column, row) {
  const name = `${column.id} / ${row.id}`;
  const barred = column.barred?.[env.runtime];
  if (barred) return { name, how: "cannot", note: barred.note, kind: row.kinds[0], body: barred.shown };
  const kinds = carried(env, column, row);
  const special = column.cells?.[row.id];
  if (special && (special.runtimes ?? [env.runtime]).includes(env.runtime)) {
    const { cannot, differs, kind = kinds[0] ?? row.kinds[0], shown = row.body } = special;
    return { name, how: cannot ? "cannot" : "differs", note: cannot ?? differs, kind, kinds, body: shown };
  }
  const asked = row.kinds.filter((kind) => column.kinds.includes(kind));
  if (kinds.length > 0) return { name, how: "yes", kind: kinds[0], kinds, body: row.body };
  if (asked.length > 0) return { name, how: "cannot", kind: asked[0], ...REFUSED };
  const { note, shown } = column.lacks;
  return { name, how: "cannot", note, kind: row.kinds[0], body: shown };
}

/** The kinds of a row that go this way here. */
function carried(env, column, row) {
  const kinds = row.kinds.filter((kind) => column.kinds.includes(kind));
  return kinds.filter((kind) => carries(env, column.transport, kind));
}

export function addTable(suite, env) {
  for (const { name, column, kind, kinds, body } of cells(env)) {
    suite.scenario(name, body, { ...column, kind, kinds, baseUrl: column.url(env) });
  }
}
