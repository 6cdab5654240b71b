// From rounds to figures. A ratio is taken within each round, and then the median: what slows the machine down slows
// both of a pair.

export function median(values) {
  const sorted = values.filter((value) => value !== undefined).sort((a, b) => a - b);
  if (sorted.length === 0) return undefined;
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** What a case in a runtime gave: its rows, a list of rounds for each client, of so many operations a round. */
export function caseOf(results, runtime, name) {
  return results.cases.find((one) => one.runtime === runtime && one.name === name) ?? { rows: {} };
}

/** The rows of a case in a runtime. */
export function rowsOf(results, runtime, name) {
  return caseOf(results, runtime, name).rows;
}

/** The median of one figure: `ms`, `cpu`, … */
export function figure(rows, client, what) {
  return rows[client] && median(rows[client].map((round) => round[what]));
}

/** How many times as much as another client's. */
export function ratio(rows, client, other, what) {
  if (!rows[client] || !rows[other]) return undefined;
  return median(rows[client].map((round, n) => round[what] / rows[other][n][what]));
}

/** The client with the smallest median among those named. */
export function best(rows, clients, what) {
  const known = clients.filter((client) => rows[client]);
  return known.sort((a, b) => figure(rows, a, what) - figure(rows, b, what))[0];
}
